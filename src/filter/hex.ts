/** Writes the bytes that hexadecimal digits in lower case say; false, with nothing of use written, when they do not. */
export function hexBytes(digits: usize, length: usize, to: usize): bool {
  if (length % 2 != 0) return false;
  for (let i: usize = 0; i < length; i += 2) {
    const high = valueOf(load<u8>(digits + i));
    const low = valueOf(load<u8>(digits + i + 1));
    if (high > 15 || low > 15) return false;
    store<u8>(to + i / 2, <u8>((high << 4) | low));
  }
  return true;
}

function valueOf(digit: u32): u32 {
  if (digit - 48 < 10) return digit - 48;
  return digit - 97 < 6 ? digit - 87 : 16;
}

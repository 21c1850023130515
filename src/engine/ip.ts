/** Addresses as they are spelt in an authority. @see RFC 3986 §3.2.2, RFC 4291 §2.2, RFC 5952 */
import { hexValue, isDigit } from "./bytes";

/** A dotted quad of four decimal numbers 0-255 without leading zeros: nothing else is an IPv4 address here. */
export function isDottedQuad(address: usize, length: usize): bool {
  let p = address;
  const end = address + length;
  for (let part = 0; part < 4; part++) {
    const start = p;
    let value: u32 = 0;
    while (p < end && isDigit(load<u8>(p)) && p - start < 4) value = value * 10 + load<u8>(p++) - 48;
    const digits = p - start;
    if (digits == 0 || digits > 3 || value > 255 || (digits > 1 && load<u8>(start) == 48)) return false;
    if (part < 3) {
      if (p >= end || load<u8>(p) != 46) return false;
      p++;
    }
  }
  return p == end;
}

const groups: usize = memory.data(16, 2);

/** Reads an IPv6 address (no brackets, no zone) into eight groups. */
function parseIpv6(address: usize, length: usize): bool {
  let p = address;
  const end = address + length;
  let count: i32 = 0;
  let gap: i32 = -1;
  if (length < 2) return false;
  if (load<u8>(p) == 58) {
    if (load<u8>(p + 1) != 58) return false;
    p += 2;
    gap = 0;
  }
  while (p < end) {
    if (count >= 8) return false;
    const start = p;
    let value: u32 = 0;
    while (p < end && p - start < 5) {
      const digit = hexValue(load<u8>(p));
      if (digit < 0) break;
      value = (value << 4) | digit;
      p++;
    }
    if (p < end && load<u8>(p) == 46) {
      if (count > 6 || !isDottedQuad(start, end - start)) return false;
      p = start;
      for (let part = 0; part < 2; part++) {
        let pair: u32 = 0;
        for (let half = 0; half < 2; half++) {
          let byte: u32 = 0;
          while (p < end && isDigit(load<u8>(p))) byte = byte * 10 + load<u8>(p++) - 48;
          pair = (pair << 8) | byte;
          p++;
        }
        store<u16>(groups + (<usize>count << 1), <u16>pair);
        count++;
      }
      p = end;
      break;
    }
    const digits = p - start;
    if (digits == 0 || digits > 4) return false;
    store<u16>(groups + (<usize>count << 1), <u16>value);
    count++;
    if (p == end) break;
    if (load<u8>(p) != 58) return false;
    p++;
    if (p == end) return false;
    if (load<u8>(p) == 58) {
      if (gap >= 0) return false;
      gap = count;
      p++;
    }
  }
  if (gap < 0) return count == 8;
  if (count >= 8) return false;
  const moved = count - gap;
  for (let i = 1; i <= moved; i++) {
    store<u16>(groups + (<usize>(8 - i) << 1), load<u16>(groups + (<usize>(count - i) << 1)));
  }
  for (let i = gap; i < 8 - moved; i++) store<u16>(groups + (<usize>i << 1), 0);
  return true;
}

/** Writes `[canonical]` to `out` (at least 41 bytes) and returns its length, or 0 when it is no IPv6 address. */
export function writeIpv6(address: usize, length: usize, out: usize): usize {
  if (!parseIpv6(address, length)) return 0;
  let best = -1;
  let bestLength = 1;
  for (let i = 0; i < 8; i++) {
    let run = 0;
    while (i + run < 8 && load<u16>(groups + (<usize>(i + run) << 1)) == 0) run++;
    if (run > bestLength) {
      best = i;
      bestLength = run;
    }
    if (run > 0) i += run - 1;
  }
  let p = out;
  store<u8>(p++, 91);
  for (let i = 0; i < 8; i++) {
    if (i == best) {
      store<u8>(p++, 58);
      store<u8>(p++, 58);
      i += bestLength - 1;
      continue;
    }
    if (i > 0 && load<u8>(p - 1) != 58) store<u8>(p++, 58);
    const value = <u32>load<u16>(groups + (<usize>i << 1));
    let started = false;
    for (let shift = 12; shift >= 0; shift -= 4) {
      const digit = (value >>> shift) & 15;
      if (digit != 0 || started || shift == 0) {
        started = true;
        store<u8>(p++, <u8>(digit < 10 ? 48 + digit : 87 + digit));
      }
    }
  }
  store<u8>(p++, 93);
  return p - out;
}

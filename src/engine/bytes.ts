/** Byte tests and the hash that bundle and engine share (src/bundle/hash.ts is its other half). */

/** Byte classes: a byte's entry has the bits of the classes it belongs to. */
export const IN_ID_PATH: u32 = 1;
export const IN_TRUST_DOMAIN: u32 = 2;
export const IN_LABEL: u32 = 4;
/** In a request path: stands for itself, nothing to decode, nothing in doubt. */
export const PLAIN_IN_PATH: u32 = 8;

const classes: usize = memory.data<u8>([
  0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
  8, 8, 8, 0, 8, 0, 8, 8, 8, 8, 8, 8, 8, 15, 11, 0, 15, 15, 15, 15, 15, 15, 15, 15, 15, 15, 8, 0, 8, 8, 8, 0,
  8, 13, 13, 13, 13, 13, 13, 13, 13, 13, 13, 13, 13, 13, 13, 13, 13, 13, 13, 13, 13, 13, 13, 13, 13, 13, 13, 8, 0, 8, 8, 11,
  8, 15, 15, 15, 15, 15, 15, 15, 15, 15, 15, 15, 15, 15, 15, 15, 15, 15, 15, 15, 15, 15, 15, 15, 15, 15, 15, 8, 8, 8, 8, 0,
  0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
  0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
  0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
  0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
]);

// @ts-ignore: decorator
@inline
export function isIn(c: u32, bits: u32): bool {
  return (load<u8>(classes + c) & bits) != 0;
}

// @ts-ignore: decorator
@inline
export function isDigit(c: u32): bool {
  return c - 48 < 10;
}

// @ts-ignore: decorator
@inline
export function isLower(c: u32): bool {
  return c - 97 < 26;
}

// @ts-ignore: decorator
@inline
export function isUpper(c: u32): bool {
  return c - 65 < 26;
}

/** Is each of the eight bytes of `w` in one of the classes? */
// @ts-ignore: decorator
@inline
export function areIn(w: u64, bits: u32): bool {
  const low = classOf(w) & classOf(w >> 8) & classOf(w >> 16) & classOf(w >> 24);
  const high = classOf(w >> 32) & classOf(w >> 40) & classOf(w >> 48) & classOf(w >> 56);
  return (low & high & bits) != 0;
}

/** Of the lowest byte. */
// @ts-ignore: decorator
@inline
function classOf(w: u64): u32 {
  return load<u8>(classes + <usize>(w & 0xff));
}

/** Where `byte` first stands, or `length`. Eight at a time: one that is it leaves a byte without bits, from which a borrow comes. */
export function find(byte: u32, address: usize, length: usize): usize {
  const all = <u64>byte * 0x0101010101010101;
  let i: usize = 0;
  for (; i + 8 <= length; i += 8) {
    const w = load<u64>(address + i) ^ all;
    const found = (w - 0x0101010101010101) & ~w & 0x8080808080808080;
    // Only bytes behind the first can be marked for nothing.
    if (found != 0) return i + <usize>(ctz(found) >> 3);
  }
  for (; i < length; i++) if (load<u8>(address + i) == byte) return i;
  return length;
}

/** The value of a hexadecimal digit, or -1. */
export function hexValue(c: u32): i32 {
  if (c - 48 < 10) return c - 48;
  const lower = c | 32;
  return lower - 97 < 6 ? lower - 87 : -1;
}

// @ts-ignore: decorator
@inline
export function toLower(c: u32): u32 {
  return isUpper(c) ? c | 32 : c;
}

export function equals(a: usize, b: usize, length: usize): bool {
  let i: usize = 0;
  for (; i + 8 <= length; i += 8) if (load<u64>(a + i) != load<u64>(b + i)) return false;
  for (; i < length; i++) if (load<u8>(a + i) != load<u8>(b + i)) return false;
  return true;
}

/** Is `text` (with its length) this literal? The literal must be ASCII. */
export function isText(address: usize, length: usize, literal: string): bool {
  if (length != <usize>literal.length) return false;
  for (let i: usize = 0; i < length; i++) if (load<u8>(address + i) != <u8>literal.charCodeAt(<i32>i)) return false;
  return true;
}

// @ts-ignore: decorator
@inline
export function hashByte(hash: u32, byte: u32): u32 {
  return (hash ^ byte) * 16777619;
}

/** Ends a hash: `kind` and `number` keep the spaces of keys apart. */
// @ts-ignore: decorator
@inline
export function hashEnd(hash: u32, kind: u32, number: u32): u32 {
  let h = hash ^ (kind * 0x9e3779b1) ^ (number * 0x85ebca77);
  h = (h ^ (h >>> 15)) * 0x2c1b3c6d;
  h = (h ^ (h >>> 12)) * 0x297a2d39;
  return h ^ (h >>> 15);
}

/** Whole bytes to UTF-8: no overlong forms, no surrogates, nothing above U+10FFFF. */
export function isUtf8(address: usize, length: usize): bool {
  const end = address + length;
  let p = address;
  while (p < end) {
    while (p + 8 <= end && (load<u64>(p) & 0x8080808080808080) == 0) p += 8;
    if (p == end) return true;
    const c = <u32>load<u8>(p++);
    if (c < 0x80) continue;
    let more: u32 = 0;
    let low: u32 = 0x80;
    let high: u32 = 0xbf;
    if (c >= 0xc2 && c <= 0xdf) more = 1;
    else if (c >= 0xe0 && c <= 0xef) {
      more = 2;
      if (c == 0xe0) low = 0xa0;
      if (c == 0xed) high = 0x9f;
    } else if (c >= 0xf0 && c <= 0xf4) {
      more = 3;
      if (c == 0xf0) low = 0x90;
      if (c == 0xf4) high = 0x8f;
    } else return false;
    while (more > 0) {
      if (p >= end) return false;
      const d = <u32>load<u8>(p++);
      if (d < low || d > high) return false;
      low = 0x80;
      high = 0xbf;
      more--;
    }
  }
  return true;
}

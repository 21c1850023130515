/** Texts and messages that are put together in one buffer, which is used again for each. What does not fit is a trap: denied. */

import { bytesOf, lengthOf } from "./bytes-of";

/** More than Envoy's largest request headers (60 KiB) make, also where all of them are escaped, with the names of many rules. */
export const CAPACITY: usize = 256 * 1024;
export const buffer: usize = heap.alloc(CAPACITY);
let at: usize = 0;

export function begin(): void {
  at = 0;
}

/** Bytes written since `begin`. */
export function written(): usize {
  return at;
}

function need(bytes: usize): usize {
  if (at + bytes > CAPACITY) unreachable();
  const address = buffer + at;
  at += bytes;
  return address;
}

export function putByte(byte: u32): void {
  store<u8>(need(1), <u8>byte);
}

export function putU32(value: u32): void {
  store<u32>(need(4), value);
}

/** Overwrites a u32 at an offset. */
export function patchU32(offset: usize, value: u32): void {
  store<u32>(buffer + offset, value);
}

export function putBytes(address: usize, length: usize): void {
  copyShort(need(length), address, length);
}

/** Most of what is written is a few words long: calling for the copy of that takes longer than copying it. The last word overlaps. */
function copyShort(to: usize, from: usize, length: usize): void {
  if (length > 64) memory.copy(to, from, length);
  else if (length >= 8) {
    const last = length - 8;
    for (let i: usize = 0; i < last; i += 8) store<u64>(to + i, load<u64>(from + i));
    store<u64>(to + last, load<u64>(from + last));
  } else for (let i: usize = 0; i < length; i++) store<u8>(to + i, load<u8>(from + i));
}

/** A constant of bytes-of. */
export function put(text: usize): void {
  putBytes(bytesOf(text), lengthOf(text));
}

/** A literal of ASCII, character by character: where it is quick to write is of no matter. */
export function putText(text: string): void {
  const address = need(text.length);
  for (let i = 0; i < text.length; i++) store<u8>(address + i, <u8>text.charCodeAt(i));
}

export function putNumber(value: u64): void {
  let divisor: u64 = 1;
  while (value / divisor >= 10) divisor *= 10;
  for (; divisor > 0; divisor /= 10) putByte(<u32>(48 + ((value / divisor) % 10)));
}

const HEX: string = "0123456789abcdef";

export function putHexDigit(value: u32): void {
  putByte(HEX.charCodeAt(value & 15));
}

/** What JSON.stringify makes of a text, without its quotes. Bytes beyond ASCII stay as they are. */
export function putEscaped(address: usize, length: usize): void {
  let from: usize = 0;
  for (let i: usize = 0; i < length; i++) {
    while (i + 8 <= length && isPlain(load<u64>(address + i))) i += 8;
    if (i == length) break;
    const c = <u32>load<u8>(address + i);
    if (c >= 32 && c != 34 && c != 92) continue;
    putBytes(address + from, i - from);
    from = i + 1;
    if (c < 32) putControl(c);
    else {
      putByte(92);
      putByte(c);
    }
  }
  putBytes(address + from, length - from);
}

const ONES: u64 = 0x0101010101010101;
const HIGHS: u64 = 0x8080808080808080;

/** Do eight bytes hold none that is escaped? A byte that is less than 32, or that is a quote or a backslash and so becomes 0, leaves a borrow; bytes beyond ASCII may leave one, too. */
// @ts-ignore: decorator
@inline
function isPlain(bytes: u64): bool {
  const quotes = (bytes ^ (34 * ONES)) - ONES;
  const backslashes = (bytes ^ (92 * ONES)) - ONES;
  return (((bytes - 32 * ONES) | quotes | backslashes | bytes) & HIGHS) == 0;
}

function putControl(c: u32): void {
  putByte(92);
  if (c == 8) putByte(98);
  else if (c == 9) putByte(116);
  else if (c == 10) putByte(110);
  else if (c == 12) putByte(102);
  else if (c == 13) putByte(114);
  else {
    putText("u00");
    putHexDigit(c >>> 4);
    putHexDigit(c);
  }
}

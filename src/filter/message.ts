/** Protobuf on the wire: fields that are written, and a cursor over a message that was received. */
import * as w from "./writer";

/** Bytes of a varint. */
export function sizeOf(value: u32): usize {
  return value < 0x80 ? 1 : value < 0x4000 ? 2 : value < 0x200000 ? 3 : 4;
}

export function putVarint(value: u32): void {
  let rest = value;
  while (rest >= 0x80) {
    w.putByte((rest & 0x7f) | 0x80);
    rest >>>= 7;
  }
  w.putByte(rest);
}

/** Bytes of a field with a length. All tags here take one byte. */
export function fieldSize(length: usize): usize {
  return 1 + sizeOf(<u32>length) + length;
}

/** The head of a field that others are nested in. */
export function openField(tag: u32, length: usize): void {
  w.putByte(tag);
  putVarint(<u32>length);
}

export function putField(tag: u32, address: usize, length: usize): void {
  openField(tag, length);
  w.putBytes(address, length);
}

/** Where the next byte is read. */
export let cursor: usize = 0;
/** The message was not one: reading has stopped at its end. */
export let broken: bool = false;
let limit: usize = 0;

export function readFrom(from: usize, to: usize): void {
  cursor = from;
  limit = to;
  broken = false;
}

export function moveTo(position: usize): void {
  cursor = position;
}

export function varint(): u32 {
  let value: u32 = 0;
  let shift: u32 = 0;
  while (cursor < limit && shift < 35) {
    const byte = <u32>load<u8>(cursor++);
    if (shift < 32) value |= (byte & 0x7f) << shift;
    if (byte < 0x80) return value;
    shift += 7;
  }
  broken = true;
  cursor = limit;
  return 0;
}

/** The length of a nested field, which ends where the message does or before. */
export function nested(end: usize): usize {
  const length = <usize>varint();
  if (length > end - cursor) {
    broken = true;
    cursor = end;
    return 0;
  }
  return length;
}

/** Where the nested field that begins here ends. */
export function nestedEnd(end: usize): usize {
  const length = nested(end);
  return cursor + length;
}

/** Skips the field of this tag. */
export function skip(tag: u32, end: usize): void {
  const kind = tag & 7;
  if (kind == 0) varint();
  else if (kind == 2) {
    // Not `+=`: reading the length moves the cursor.
    const length = nested(end);
    cursor += length;
  } else if (kind == 5 && end - cursor >= 4) cursor += 4;
  else if (kind == 1 && end - cursor >= 8) cursor += 8;
  else {
    broken = true;
    cursor = end;
  }
}

/** Field 1 of a message, a number. */
export function readNumber(end: usize): u32 {
  let number: u32 = 0;
  while (cursor < end) {
    const tag = varint();
    if (tag == 0x08) number = varint();
    else skip(tag, end);
  }
  return number;
}

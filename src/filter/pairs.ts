/** Pairs of names and values on their way to the host, in the form that `getPairs` gives them. */
import { bytesOf, lengthOf } from "./bytes-of";
import * as w from "./writer";

/** More are dropped: no message of ours has so many. */
const MOST: u32 = 32;
/** [name, its length, value, its length] of each. */
const spans: usize = memory.data(32 * 16, 8);
let count: u32 = 0;

export function clearPairs(): void {
  count = 0;
}

/** Takes a pair whose bytes stay where they are until `writePairs`. */
export function addPair(name: usize, nameLength: usize, value: usize, valueLength: usize): void {
  if (count == MOST) return;
  const span = spans + (<usize>count << 4);
  store<u32>(span, <u32>name);
  store<u32>(span + 4, <u32>nameLength);
  store<u32>(span + 8, <u32>value);
  store<u32>(span + 12, <u32>valueLength);
  count++;
}

/** A pair whose name is a constant of bytes-of. */
export function addNamed(name: usize, value: usize, valueLength: usize): void {
  addPair(bytesOf(name), lengthOf(name), value, valueLength);
}

/** A pair of two constants of bytes-of. */
export function addConstants(name: usize, value: usize): void {
  addNamed(name, bytesOf(value), lengthOf(value));
}

/** Writes them all behind what the writer holds. */
export function writePairs(): void {
  w.putU32(count);
  for (let i: u32 = 0; i < count; i++) {
    w.putU32(load<u32>(spans + (<usize>i << 4) + 4));
    w.putU32(load<u32>(spans + (<usize>i << 4) + 12));
  }
  for (let i: u32 = 0; i < count; i++) {
    const span = spans + (<usize>i << 4);
    w.putBytes(<usize>load<u32>(span), load<u32>(span + 4));
    w.putByte(0);
    w.putBytes(<usize>load<u32>(span + 8), load<u32>(span + 12));
    w.putByte(0);
  }
}

/** Ids of decisions: UUIDv7, drawn like those of the server (RFC 9562 §5.7). */
import { random } from "./host-calls";

/** Characters of an id. */
export const ID_LENGTH: usize = 36;
/** The last drawn id. */
export const id: usize = memory.data(40, 8);

const POOL: usize = memory.data(1024, 8);
const POOL_SIZE: usize = 1000;
let used: usize = POOL_SIZE;

const HEX: string = "0123456789abcdef";

function hex(value: u32): u8 {
  return <u8>HEX.charCodeAt(value & 15);
}

/** Draws the next id: 48 bits of time, in milliseconds, and 74 of chance. */
export function drawId(now: u64): void {
  if (used + 10 > POOL_SIZE) {
    if (random(POOL, POOL_SIZE) != 0) unreachable();
    used = 0;
  }
  const chance = POOL + used;
  used += 10;
  let at: usize = 0;
  for (let digit: usize = 0; digit < 32; digit++) {
    if (digit == 8 || digit == 12 || digit == 16 || digit == 20) store<u8>(id + at++, 45);
    let value: u32;
    if (digit < 12) value = <u32>(now >> (4 * (11 - digit)));
    else if (digit == 12) value = 7;
    else {
      const from = digit - 12;
      value = (<u32>load<u8>(chance + (from >> 1))) >>> <u32>((from & 1) << 2);
      if (digit == 16) value = 8 | (value & 3);
    }
    store<u8>(id + at++, hex(value));
  }
}

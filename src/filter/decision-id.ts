/** Ids of decisions: UUIDv7, drawn like those of the server (RFC 9562 §5.7). */
import { random } from "./host-calls";

/** Characters of an id. */
export const ID_LENGTH: usize = 36;
/** The last drawn id. */
export const id: usize = memory.data(40, 8);

const POOL: usize = memory.data(1024, 8);
const POOL_SIZE: usize = 1000;
let used: usize = POOL_SIZE;

/** The eight digits of 32 bits as characters, the first of them in the lowest byte. */
function hex(bits: u32): u64 {
  let digits = <u64>bswap<u32>(bits);
  digits = (digits | (digits << 16)) & 0x0000ffff0000ffff;
  digits = (digits | (digits << 8)) & 0x00ff00ff00ff00ff;
  digits = ((digits >> 4) | (digits << 8)) & 0x0f0f0f0f0f0f0f0f;
  // From ten on, letters: they lie 39 beyond the characters that follow the digits.
  const letters = ((digits + 0x0606060606060606) >> 4) & 0x0101010101010101;
  return digits + 0x3030303030303030 + letters * 39;
}

/** Eight digits, of which a dash parts the halves. */
function putHalves(to: usize, bits: u32): void {
  const digits = hex(bits);
  store<u32>(to, <u32>digits);
  store<u8>(to + 4, 45);
  store<u32>(to + 5, <u32>(digits >> 32));
}

/** Draws the next id: 48 bits of time, in milliseconds, and 74 of chance. */
export function drawId(now: u64): void {
  if (used + 10 > POOL_SIZE) {
    if (random(POOL, POOL_SIZE) != 0) unreachable();
    used = 0;
  }
  const chance = POOL + used;
  used += 10;
  store<u64>(id, hex(<u32>(now >> 16)));
  store<u8>(id + 8, 45);
  putHalves(id + 9, (<u32>now << 16) | 0x7000 | (load<u16>(chance) & 0x0fff));
  store<u8>(id + 18, 45);
  putHalves(id + 19, 0x80000000 | (load<u32>(chance + 2) & 0x3fffffff));
  store<u64>(id + 28, hex(load<u32>(chance + 6)));
}

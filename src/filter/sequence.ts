/**
 * Numbers everything that is decided or asked here, so that the server sees what of it never came on record. The numbers are
 * those of one run of this worker's filter, which has a name that nobody can foresee.
 */
import { random } from "./host-calls";
import * as w from "./writer";

/** Characters of a name that was drawn. */
export const NAME_LENGTH: usize = 32;
/** This run's name, in hexadecimal. */
export const worker: usize = memory.data(32, 8);
const chance: usize = memory.data(16, 8);
let named: bool = false;
/** The last number that was given. */
export let last: u64 = 0;

/** Draws a name of sixteen random bytes in hexadecimal. Writes over the writer. */
export function drawName(to: usize): void {
  if (random(chance, 16) != 0) unreachable();
  w.begin();
  for (let i: usize = 0; i < 16; i++) {
    w.putHexDigit(<u32>load<u8>(chance + i) >>> 4);
    w.putHexDigit(load<u8>(chance + i));
  }
  memory.copy(to, w.buffer, NAME_LENGTH);
}

/** Once in a run; listeners share it. */
export function nameRun(): void {
  if (!named) drawName(worker);
  named = true;
}

export function nextNumber(): u64 {
  return ++last;
}

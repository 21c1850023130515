import { randomFillSync } from "node:crypto";
import { v7 } from "uuid";

/** Characters of a decision id. */
export const ID_LENGTH = 36;

const RANDOM_BYTES = 16;

/** Gives UUIDv7s for instants in milliseconds. Random bytes are drawn in blocks, which is several times faster. */
export function createIdSource(): (nowMs: number) => string {
  const pool = Buffer.alloc(512 * RANDOM_BYTES);
  let at = pool.length;
  return (nowMs) => {
    if (at === pool.length) {
      randomFillSync(pool);
      at = 0;
    }
    const random = pool.subarray(at, at + RANDOM_BYTES);
    at += RANDOM_BYTES;
    return v7({ random, msecs: nowMs });
  };
}

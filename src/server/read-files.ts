import type { BigIntStats } from "node:fs";

/** What files held when they were last read, so that looking for changes reads only what may have changed. */
export interface ReadFiles {
  /** The bytes of the file of which `stat` just said this, read with `read` unless they are known. */
  bytes(place: string, stats: BigIntStats, read: () => Uint8Array | Promise<Uint8Array>): Promise<Uint8Array>;
  /** Forgets files that were not asked for since the last call. */
  sweep(): void;
}

/** A file that changed twice within a tick of the kernel's clock looks the same afterwards: one that changed so lately is read again. */
const SETTLED_MS = 2_000n;
/** What is written through a mapping of memory may be told late: so each file is read this often, whatever is told of it. */
const TRUSTED_MS = 60_000n;

interface Known {
  readonly mark: string;
  readonly readMs: bigint;
  readonly bytes: Uint8Array;
}

/** Nothing is known at first. `now` = the wall clock in milliseconds, by which files tell when they changed. */
export function createReadFiles(now: () => number = Date.now): ReadFiles {
  let older = new Map<string, Known>();
  let current = new Map<string, Known>();
  return {
    async bytes(place, stats, read) {
      const nowMs = BigInt(now());
      const mark = markOf(stats);
      const found = older.get(place);
      const isKnown = found?.mark === mark && nowMs >= found.readMs && nowMs - found.readMs < TRUSTED_MS;
      const known = isKnown ? found : { mark, readMs: nowMs, bytes: await read() };
      if (nowMs - stats.ctimeMs > SETTLED_MS) current.set(place, known);
      return known.bytes;
    },
    sweep() {
      older = current;
      current = new Map();
    },
  };
}

/** The time of change (`ctime`) is the kernel's: unlike that of modification nobody can set it. */
function markOf({ dev, ino, size, mtimeNs, ctimeNs }: BigIntStats): string {
  return `${dev} ${ino} ${size} ${mtimeNs} ${ctimeNs}`;
}

import {
  type BigIntStats,
  closeSync,
  openSync,
  readdirSync,
  readFileSync,
  readSync,
  realpathSync,
  statSync,
} from "node:fs";
import { open, readdir, readFile, realpath, stat } from "node:fs/promises";
import { LIMITS } from "../policy/limits.ts";

type Awaitable<T> = T | Promise<T>;

/** How directories and files are read. What goes wrong is thrown as Node's `fs` does. */
export interface Disk {
  names(directory: string): Awaitable<string[]>;
  /** Of what a link leads to. */
  stat(place: string): Awaitable<BigIntStats>;
  realpath(place: string): Awaitable<string>;
  /** A file's bytes, `size` of them; of one that is too large, as many as show it. */
  read(place: string, size: bigint): Awaitable<Uint8Array>;
}

/** For whoever has others to answer: no disk, however slow, stops them. */
export const waitingDisk: Disk = {
  names: (directory) => readdir(directory),
  stat: (place) => stat(place, { bigint: true }),
  realpath: (place) => realpath(place),
  async read(place, size) {
    if (size <= LIMITS.fileBytes) return readFile(place);
    const file = await open(place);
    try {
      const bytes = enough();
      return bytes.subarray(0, (await file.read(bytes, 0, bytes.length, 0)).bytesRead);
    } finally {
      await file.close();
    }
  },
};

/** For a command, which has nothing else to do: a small file takes less to be read than to be waited for. */
export const directDisk: Disk = {
  names: (directory) => readdirSync(directory),
  stat: (place) => statSync(place, { bigint: true }),
  realpath: (place) => realpathSync(place),
  read(place, size) {
    if (size <= LIMITS.fileBytes) return readFileSync(place);
    const file = openSync(place, "r");
    try {
      const bytes = enough();
      return bytes.subarray(0, readSync(file, bytes, 0, bytes.length, 0));
    } finally {
      closeSync(file);
    }
  },
};

/** Room for more than any policy file may have. */
function enough(): Uint8Array {
  return Buffer.alloc(LIMITS.fileBytes + 1);
}

import { createReadStream, createWriteStream } from "node:fs";
import { open, rename, rm, stat, utimes } from "node:fs/promises";
import { dirname } from "node:path";
import { pipeline } from "node:stream/promises";
import { workerData } from "node:worker_threads";
import type { CompressWork } from "./compress-files.ts";
import { createPacker } from "./packing.ts";
import { syncDirectory } from "./segment-file.ts";

const PIECE_BYTES = 1024 * 1024;

/** The thread that compresses closed files, one after the other, and deletes what it has compressed. */
const { packing, tasks }: CompressWork = workerData;
for (const { from, to } of tasks) {
  await compress(from, to);
  // Whatever a crash leaves, one of the two has its name.
  await syncDirectory(dirname(to));
  await rm(from, { force: true });
}

/** The compressed file has its name only once it is whole and durable. */
async function compress(from: string, to: string): Promise<void> {
  const begun = `${to}.tmp`;
  const { mtime } = await stat(from);
  await pipeline(
    createReadStream(from, { highWaterMark: PIECE_BYTES }),
    createPacker(packing),
    createWriteStream(begun, { mode: 0o600 }),
  );
  const file = await open(begun, "r+");
  try {
    await file.datasync();
  } finally {
    await file.close();
  }
  await utimes(begun, mtime, mtime);
  await rename(begun, to);
}

import { createReadStream } from "node:fs";
import { stat } from "node:fs/promises";
import { createUnpacker, isPackingError } from "./packing.ts";
import { createSegmentReader, type SegmentReading } from "./read-segment.ts";
import type { SealCheck } from "./signature.ts";

const PIECE = 1024 * 1024;

/** Reads a file of a trail, compressed or not; null when there is none, or nothing in it, or it is a device or a pipe. */
export async function readSegmentFile(
  path: string,
  check?: SealCheck,
  progress: (bytes: number) => void = () => undefined,
): Promise<SegmentReading | null> {
  const found = await stat(path).catch(noneWhenMissing);
  if (found === null || !found.isFile() || found.size === 0) return null;
  const reader = createSegmentReader(check);
  const file = createReadStream(path, { highWaterMark: PIECE });
  file.on("data", (bytes) => progress(bytes.length));
  const unpacked = createUnpacker(path);
  if (unpacked === null) {
    for await (const bytes of file) reader.push(bytes);
    return reader.end();
  }
  file.on("error", (error) => unpacked.destroy(error));
  try {
    for await (const bytes of file.pipe(unpacked)) reader.push(bytes);
  } catch (error) {
    if (!isPackingError(error)) throw error;
    reader.fail(`it cannot be uncompressed: ${error.message}`);
  }
  return reader.end();
}

function noneWhenMissing(error: NodeJS.ErrnoException): null {
  if (error.code === "ENOENT") return null;
  throw error;
}

import { createReadStream } from "node:fs";
import { stat } from "node:fs/promises";
import { createGunzip } from "node:zlib";
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
  if (!path.endsWith(".gz")) {
    for await (const bytes of file) reader.push(bytes);
    return reader.end();
  }
  const unpacked = createGunzip({ chunkSize: PIECE });
  file.on("error", (error) => unpacked.destroy(error));
  try {
    for await (const bytes of file.pipe(unpacked)) reader.push(bytes);
  } catch (error) {
    if (!isDataError(error)) throw error;
    reader.fail(`it cannot be uncompressed: ${error.message}`);
  }
  return reader.end();
}

/** The file can be read, and is not what gzip wrote. */
function isDataError(error: unknown): error is Error {
  return error instanceof Error && "code" in error && String(error.code).startsWith("Z_");
}

function noneWhenMissing(error: NodeJS.ErrnoException): null {
  if (error.code === "ENOENT") return null;
  throw error;
}

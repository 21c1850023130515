import { type FileHandle, open } from "node:fs/promises";
import { createSegmentReader, type SegmentReader, type SegmentReading } from "./read-segment.ts";
import type { SealCheck } from "./signature.ts";

const PIECE = 1024 * 1024;

/** Reads a file of a trail; null when there is none, or nothing in it, or it is no file but a device or a pipe. */
export async function readSegmentFile(
  path: string,
  check?: SealCheck,
  progress: (bytes: number) => void = () => undefined,
): Promise<SegmentReading | null> {
  const file = await open(path, "r").catch(noneWhenMissing);
  if (file === null) return null;
  try {
    const stat = await file.stat();
    if (!stat.isFile() || stat.size === 0) return null;
    return await readAll(file, createSegmentReader(check), progress);
  } finally {
    await file.close();
  }
}

async function readAll(
  file: FileHandle,
  reader: SegmentReader,
  progress: (bytes: number) => void,
): Promise<SegmentReading> {
  for (;;) {
    const { buffer, bytesRead } = await file.read(Buffer.allocUnsafe(PIECE), 0, PIECE);
    if (bytesRead === 0) return reader.end();
    reader.push(buffer.subarray(0, bytesRead));
    progress(bytesRead);
  }
}

function noneWhenMissing(error: NodeJS.ErrnoException): null {
  if (error.code === "ENOENT") return null;
  throw error;
}

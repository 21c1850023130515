import { createReadStream } from "node:fs";
import { parseSegment } from "./chain.ts";
import { createUnpacker } from "./packing.ts";
import { trailFiles } from "./segment-names.ts";

const PIECE = 256 * 1024;

/**
 * The files of a trail that can hold lines of a time (milliseconds; null for no bound), oldest first. A file is begun with its
 * time and ends where the next begins; one that does not say when it was begun is always among them. @throws when the
 * directory cannot be read
 */
export async function filesWithin(
  path: string,
  fromMs: number | null,
  toMs: number | null,
): Promise<readonly string[]> {
  const files = (await trailFiles(path)).map((each) => each.path);
  if (fromMs === null && toMs === null) return files;
  const begun = await Promise.all(files.map(begunMs));
  return files.filter((_, index) => {
    const start = begun[index] ?? null;
    const end = begun[index + 1] ?? null;
    return (toMs === null || start === null || start <= toMs) && (fromMs === null || end === null || end > fromMs);
  });
}

/** Null too when the file cannot be read: whoever reads it says why. */
async function begunMs(path: string): Promise<number | null> {
  try {
    for await (const line of linesOfFile(path)) {
      const time = parseSegment(line)?.time;
      return time === undefined ? null : Date.parse(time);
    }
    return null;
  } catch {
    return null;
  }
}

/** The whole lines of a file of a trail, compressed or not. `progress` is told of the bytes as they are read. @throws when it cannot be read */
export async function* linesOfFile(
  path: string,
  progress: (bytes: number) => void = () => undefined,
): AsyncGenerator<string> {
  const file = createReadStream(path, { highWaterMark: PIECE });
  file.on("data", (piece) => progress(piece.length));
  const unpacked = createUnpacker(path);
  // Without a listener an error of the file would end the process instead of this loop.
  if (unpacked !== null) file.on("error", (error) => unpacked.destroy(error)).pipe(unpacked);
  let rest = "";
  try {
    for await (const piece of (unpacked ?? file).setEncoding("utf8")) {
      const lines = (rest + piece).split("\n");
      rest = lines.pop() ?? "";
      yield* lines;
    }
  } finally {
    file.destroy();
    unpacked?.destroy();
  }
}

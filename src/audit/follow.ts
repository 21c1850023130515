import { open, stat } from "node:fs/promises";
import { setTimeout } from "node:timers/promises";
import { parseSegment } from "./chain.ts";
import { PACKINGS } from "./packing.ts";
import { closedPath } from "./segment-names.ts";
import { linesOfFile } from "./segment-range.ts";

/** How often the file is looked at. */
const POLL_MS = 200;
const PIECE = 256 * 1024;
const LINE_END = 0x0a;

/**
 * The lines of a trail's open file, and then those that are written, over rotations, until the signal; null each time when all
 * that was there has been told. Lines without their end are waited for. Nothing is left out when files are closed and
 * compressed faster than they are looked at, unless they are deleted. @throws when there is no such file
 */
export async function* followTrail(path: string, signal: AbortSignal): AsyncGenerator<string | null> {
  let reader = await openReader(path);
  /** The number of the file that is read, once its first line was; and of the last one whose was. */
  let current: number | null = null;
  let segment: number | null = null;

  async function* more(): AsyncGenerator<string> {
    for await (const line of reader.more()) {
      const begun = parseSegment(line)?.segment ?? null;
      // Files that were begun and closed again since the last look.
      if (begun !== null && segment !== null) yield* closedBetween(path, segment, begun);
      current = begun ?? current;
      segment = begun ?? segment;
      yield line;
    }
  }

  try {
    for (;;) {
      yield* more();
      yield null;
      if (signal.aborted) return;
      if (current === null || !(await isClosed(path, current))) {
        await setTimeout(POLL_MS, undefined, { signal }).catch(() => undefined);
        continue;
      }
      // What was written between the last look and the closing.
      yield* more();
      await reader.close();
      reader = await reopen(path, signal);
      current = null;
    }
  } finally {
    await reader.close();
  }
}

interface LineReader {
  more(): AsyncGenerator<string>;
  close(): Promise<void>;
}

async function openReader(path: string): Promise<LineReader> {
  const file = await open(path, "r");
  let at = 0;
  let rest: Buffer = Buffer.alloc(0);
  return {
    async *more() {
      for (;;) {
        const { buffer, bytesRead } = await file.read(Buffer.allocUnsafe(PIECE), 0, PIECE, at);
        if (bytesRead === 0) return;
        at += bytesRead;
        const bytes = Buffer.concat([rest, buffer.subarray(0, bytesRead)]);
        const end = bytes.lastIndexOf(LINE_END);
        rest = bytes.subarray(end + 1);
        if (end !== -1) yield* bytes.toString("utf8", 0, end).split("\n");
      }
    },
    close: () => file.close(),
  };
}

/** Whether a file has been given its number, or is gone altogether and another has taken its place. */
async function isClosed(path: string, segment: number): Promise<boolean> {
  for (const each of [null, ...PACKINGS]) if (await isThere(closedPath(path, segment, each))) return true;
  for await (const line of linesIfThere(path)) return (parseSegment(line)?.segment ?? segment) !== segment;
  return false;
}

function isThere(file: string): Promise<boolean> {
  return stat(file).then(
    () => true,
    () => false,
  );
}

async function* closedBetween(path: string, after: number, before: number): AsyncGenerator<string> {
  for (let segment = after + 1; segment < before; segment += 1) {
    // It may be compressed, or deleted, at any moment.
    for (const each of [null, ...PACKINGS]) if (yield* linesIfThere(closedPath(path, segment, each))) break;
  }
}

async function* linesIfThere(file: string): AsyncGenerator<string, boolean> {
  try {
    yield* linesOfFile(file);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
    return false;
  }
}

async function reopen(path: string, signal: AbortSignal): Promise<LineReader> {
  for (;;) {
    try {
      return await openReader(path);
    } catch (error) {
      // Between two files there is none for a moment.
      if ((error as NodeJS.ErrnoException).code !== "ENOENT" || signal.aborted) throw error;
      await setTimeout(POLL_MS / 4);
    }
  }
}

import { type FileHandle, open, stat } from "node:fs/promises";
import { setTimeout } from "node:timers/promises";
import { parseSegment } from "./chain.ts";
import { closedSegments } from "./segment-names.ts";
import { linesOfFile } from "./segment-range.ts";

/** How often the file is looked at. */
const POLL_MS = 200;
const PIECE = 256 * 1024;
const LINE_END = 0x0a;

/**
 * The lines of a trail's open file, and then those that are written, over rotations, until the signal. Lines without their end
 * are waited for. Nothing is left out when files are closed faster than they are looked at, unless they are deleted.
 * @throws when there is no such file
 */
export async function* followTrail(path: string, signal: AbortSignal): AsyncGenerator<string | null> {
  let reader = await openReader(path);
  try {
    for (;;) {
      yield* reader.more();
      // Everything that was there has been read.
      yield null;
      if (signal.aborted) return;
      if (await reader.isCurrent()) await setTimeout(POLL_MS, undefined, { signal }).catch(() => undefined);
      else {
        yield* reader.more();
        const known = reader.segment();
        await reader.close();
        yield* closedSince(path, known);
        reader = await reopen(path, signal);
      }
    }
  } finally {
    await reader.close();
  }
}

interface LineReader {
  more(): AsyncGenerator<string>;
  /** Whether the name still leads to this file. */
  isCurrent(): Promise<boolean>;
  /** The number of the file, once its first line was read. */
  segment(): number | null;
  close(): Promise<void>;
}

async function openReader(path: string): Promise<LineReader> {
  const file: FileHandle = await open(path, "r");
  const { ino } = await file.stat();
  let at = 0;
  let rest: Buffer = Buffer.alloc(0);
  let segment: number | null = null;
  return {
    async *more() {
      for (;;) {
        const { buffer, bytesRead } = await file.read(Buffer.allocUnsafe(PIECE), 0, PIECE, at);
        if (bytesRead === 0) return;
        at += bytesRead;
        const bytes = Buffer.concat([rest, buffer.subarray(0, bytesRead)]);
        const end = bytes.lastIndexOf(LINE_END);
        rest = bytes.subarray(end + 1);
        if (end === -1) continue;
        for (const line of bytes.toString("utf8", 0, end).split("\n")) {
          segment ??= parseSegment(line)?.segment ?? null;
          yield line;
        }
      }
    },
    async isCurrent() {
      const now = await stat(path).catch(() => null);
      // Between two files there is none for a moment.
      return now === null || now.ino === ino;
    },
    segment: () => segment,
    close: () => file.close(),
  };
}

/** Files that were begun and closed again since the last look. */
async function* closedSince(path: string, known: number | null): AsyncGenerator<string> {
  if (known === null) return;
  for (const each of await closedSegments(path)) if (each.segment > known) yield* linesOfFile(each.path);
}

async function reopen(path: string, signal: AbortSignal): Promise<LineReader> {
  for (;;) {
    try {
      return await openReader(path);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "ENOENT" || signal.aborted) throw error;
      await setTimeout(POLL_MS / 4);
    }
  }
}

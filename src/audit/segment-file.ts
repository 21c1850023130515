import { constants, type FileHandle, open, rm, utimes } from "node:fs/promises";
import { dirname } from "node:path";

/** The open file of a trail, as bytes. */
export interface SegmentFile {
  /** Bytes that are as they should be, durably. */
  readonly size: number;
  /**
   * True once a write could not be made durable or taken back: nobody knows what of it is on the disk, so nothing more
   * goes there.
   */
  readonly distrusted: boolean;
  /** Writes all parts durably, or takes back what was written and throws. */
  append(parts: readonly Buffer[]): Promise<void>;
  /** Closes it. Its modification time becomes this one, in milliseconds, by which it is retired later. */
  close(closedMs?: number): Promise<void>;
  /** Closes and removes it. */
  discard(): Promise<void>;
}

const { O_APPEND, O_CREAT, O_EXCL, O_WRONLY, O_DSYNC } = constants;
/**
 * What is written is durable when the write is over: one call where a write and an fdatasync are two, between which a busy process answers other Checks first. So a batch is on record
 * in half the time.
 */
const DURABLY = O_WRONLY | O_APPEND | O_DSYNC;

/** A write with such an error may have left nothing behind. */
const NO_ROOM: ReadonlySet<string> = new Set(["ENOSPC", "EDQUOT", "EFBIG"]);

/** Makes a new file with mode 0600 and a durable name. @throws when there is one already, or it cannot be made */
export async function createSegmentFile(path: string): Promise<SegmentFile> {
  const file = await open(path, DURABLY | O_CREAT | O_EXCL, 0o600);
  try {
    await syncDirectory(dirname(path));
    return await segmentFile(path, file, 0);
  } catch (error) {
    await file.close();
    await rm(path, { force: true });
    throw error;
  }
}

/** Opens a file to go on after its first `size` bytes; what follows them is cut off. */
export async function resumeSegmentFile(path: string, size: number): Promise<SegmentFile> {
  const file = await open(path, DURABLY);
  try {
    await file.truncate(size);
    return await segmentFile(path, file, size);
  } catch (error) {
    await file.close();
    throw error;
  }
}

async function segmentFile(path: string, file: FileHandle, begun: number): Promise<SegmentFile> {
  let size = begun;
  let distrusted = false;
  /**
   * That there is no room can be said of a write, or by a disk of what it had been given. The kernel tells the latter once to each who has the file open, so this one, through which
   * nothing is written, is still to be told.
   */
  const witness = await open(path, "r");

  async function takeBack(after: unknown): Promise<void> {
    // Of any other failure nobody can say what it left on the disk.
    distrusted = !NO_ROOM.has((after as NodeJS.ErrnoException).code ?? "");
    try {
      await file.truncate(size);
      await witness.datasync();
    } catch {
      distrusted = true;
    }
  }

  async function letGo(): Promise<void> {
    await witness.close().catch(() => {});
    await file.close();
  }

  return {
    get size() {
      return size;
    },
    get distrusted() {
      return distrusted;
    },
    async append(parts) {
      const bytes = parts.reduce((sum, part) => sum + part.length, 0);
      try {
        // Together, without copying them into one; what one call did not take is written by the next.
        for (let at = 0; at < bytes; ) at += (await file.writev(from(parts, at))).bytesWritten;
      } catch (error) {
        await takeBack(error);
        throw error;
      }
      size += bytes;
    },
    async close(closedMs) {
      await letGo();
      if (closedMs !== undefined) await utimes(path, closedMs / 1000, closedMs / 1000).catch(() => {});
    },
    async discard() {
      await letGo();
      await rm(path, { force: true }).catch(() => {});
    },
  };
}

/** What remains of parts after so many bytes. */
function from(parts: readonly Buffer[], at: number): readonly Buffer[] {
  let skip = at;
  return parts.flatMap((part) => {
    const rest = part.subarray(Math.min(skip, part.length));
    skip -= part.length - rest.length;
    return rest.length === 0 ? [] : [rest];
  });
}

/** Makes names in a directory durable. */
export async function syncDirectory(directory: string): Promise<void> {
  const handle = await open(directory, "r");
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

import { type FileHandle, open, rename, rm } from "node:fs/promises";
import { createBatchSink } from "./batch.ts";
import type { AuditSink, AuditSinkHooks } from "./sink.ts";

/** Where the trail lies and when it is rotated. */
export interface FileSinkOptions {
  readonly path: string;
  /** A file that would grow past this many bytes is rotated first. */
  readonly maxBytes: number;
  /** Rotated files kept as `path.1` (the newest) to `path.N`; older ones are deleted. */
  readonly maxFiles: number;
}

const LINE_END = Buffer.from("\n");

/**
 * A sink that appends to a file (mode 0600), makes each batch durable with fdatasync, and rotates the file by size. Lines are
 * never split over two files, and after a failed write the next one starts a new line. A file whose fdatasync failed
 * is never trusted again: nobody knows what of it is on the disk, so writing goes on in a new one.
 * @throws when the file cannot be opened at all
 */
export async function createFileSink(options: FileSinkOptions, hooks: AuditSinkHooks): Promise<AuditSink> {
  const { path, maxBytes, maxFiles } = options;
  let file: FileHandle | null = await open(path, "a", 0o600);
  let size = (await file.stat()).size;
  let torn = size > 0 && !(await endsLine(path, size));
  let distrusted = false;

  async function rotate(): Promise<void> {
    await file?.close();
    file = null;
    await rm(`${path}.${maxFiles}`, { force: true });
    for (let n = maxFiles - 1; n >= 1; n -= 1) await rename(`${path}.${n}`, `${path}.${n + 1}`).catch(ignoreMissing);
    if (maxFiles > 0) await rename(path, `${path}.1`).catch(ignoreMissing);
    else await rm(path, { force: true });
  }

  async function append(bytes: Buffer): Promise<void> {
    if (distrusted || (file !== null && size > 0 && size + bytes.length > maxBytes)) await rotate();
    distrusted = false;
    if (file === null) {
      file = await open(path, "a", 0o600);
      size = (await file.stat()).size;
      torn = size > 0 && torn;
    }
    if (torn) await writeAll(file, LINE_END);
    await writeAll(file, bytes);
    await makeDurable(file);
  }

  async function makeDurable(written: FileHandle): Promise<void> {
    try {
      await written.datasync();
    } catch (error) {
      // A device that has nothing to make durable, such as a terminal or a pipe.
      if ((error as NodeJS.ErrnoException).code === "EINVAL") return;
      distrusted = true;
      throw error;
    }
  }

  async function writeAll(to: FileHandle, bytes: Buffer): Promise<void> {
    for (let at = 0; at < bytes.length; ) {
      const { bytesWritten } = await to.write(bytes, at);
      at += bytesWritten;
      size += bytesWritten;
      torn = bytes[at - 1] !== LINE_END[0];
    }
  }

  const target = {
    append,
    async close() {
      await file?.close();
    },
  };
  return createBatchSink(target, hooks);
}

async function endsLine(path: string, size: number): Promise<boolean> {
  const file = await open(path, "r");
  try {
    const { buffer } = await file.read(Buffer.alloc(1), 0, 1, size - 1);
    return buffer[0] === 0x0a;
  } finally {
    await file.close();
  }
}

function ignoreMissing(error: NodeJS.ErrnoException): void {
  if (error.code !== "ENOENT") throw error;
}

import { randomUUID } from "node:crypto";
import { type FileHandle, open, rename, rm } from "node:fs/promises";
import { createBatchSink } from "./batch.ts";
import { type ChainState, NO_HASH, sealLine, sealOf, segmentLine } from "./chain.ts";
import { readSegmentFile } from "./read-segment-file.ts";
import type { SealSigner } from "./signature.ts";
import type { AuditSink, AuditSinkHooks } from "./sink.ts";

/** Where the trail lies and when it is rotated. */
export interface FileSinkOptions {
  readonly path: string;
  /** A file that would grow past this many bytes is rotated first. */
  readonly maxBytes: number;
  /** Rotated files kept as `path.1` (the newest) to `path.N`; older ones are deleted. */
  readonly maxFiles: number;
  /** Signs the seals; null for seals that anybody could make. */
  readonly signer: SealSigner | null;
}

/** What a seal takes at most. */
const SEAL_BYTES = sealLine(Number.MAX_SAFE_INTEGER, NO_HASH, "A".repeat(88)).length;

/**
 * A sink that appends to a file (mode 0600), seals each batch, makes it durable with fdatasync, and rotates the file by size.
 * Batches are never split over two files, and what of a failed one was written is cut off again. A file whose fdatasync
 * failed is never trusted again: nobody knows what of it is on the disk, so writing goes on in a new one.
 * @throws when the file cannot be opened at all
 */
export async function createFileSink(options: FileSinkOptions, hooks: AuditSinkHooks): Promise<AuditSink> {
  const { path, maxBytes, maxFiles, signer } = options;
  let file: FileHandle | null = null;
  /** Bytes that are as they should be. */
  let size = 0;
  let chain: ChainState = { trail: randomUUID(), segment: 0, hash: NO_HASH };
  let distrusted = false;
  /** Devices and pipes are written to, and never renamed or cut. */
  let isDevice = false;

  async function rotate(): Promise<void> {
    await file?.close();
    file = null;
    await rm(`${path}.${maxFiles}`, { force: true });
    for (let n = maxFiles - 1; n >= 1; n -= 1) await rename(`${path}.${n}`, `${path}.${n + 1}`).catch(ignoreMissing);
    if (maxFiles > 0) await rename(path, `${path}.1`).catch(ignoreMissing);
    else await rm(path, { force: true });
  }

  /** Goes on with what is there: of this file, or of the one before. */
  async function resume(): Promise<void> {
    const found = await readSegmentFile(path);
    if (found === null || found.head === null || found.broken !== null) {
      // Nothing, or nothing of ours, or not as it was left: that stays as it is, and a new file is begun.
      const before = found ?? (await readSegmentFile(`${path}.1`));
      if (before?.head != null) chain = { ...before.head, hash: before.hash };
      if (found !== null) await rotate();
      return;
    }
    chain = { ...found.head, hash: found.hash };
    file = await open(path, "a", 0o600);
    size = found.sealedBytes + found.unsealed.length;
    await file.truncate(size);
    const { unsealed, tornBytes } = found;
    if (unsealed.length === 0 && tornBytes === 0) return;
    const lines = unsealed.toString("latin1").split("\n").length - 1;
    const line = Buffer.from(`{"event":"repaired","unsealedLines":${lines},"tornBytes":${tornBytes}}\n`);
    await write(file, line, sealOf(chain.hash, Buffer.concat([unsealed, line])));
  }

  async function append(bytes: Buffer): Promise<void> {
    const isFull = file !== null && size > 0 && size + bytes.length + SEAL_BYTES > maxBytes;
    if (!isDevice && (distrusted || isFull)) await rotate();
    if (file !== null) return write(file, bytes, sealOf(chain.hash, bytes));
    file = await open(path, "a", 0o600);
    size = 0;
    distrusted = false;
    const begun = { ...chain, segment: chain.segment + 1 };
    const all = Buffer.concat([Buffer.from(segmentLine(begun)), bytes]);
    const seal = sealOf(begun.hash, all);
    chain = begun;
    await write(file, all, seal);
  }

  /** All of it, with its seal, durably; or none. */
  async function write(to: FileHandle, bytes: Buffer, hash: string): Promise<void> {
    const signature = signer?.({ ...chain, hash }) ?? null;
    const all = Buffer.concat([bytes, Buffer.from(sealLine(chain.segment, hash, signature))]);
    try {
      for (let at = 0; at < all.length; ) at += (await to.write(all, at)).bytesWritten;
    } catch (error) {
      await takeBack(to);
      throw error;
    }
    await makeDurable(to);
    size += all.length;
    chain = { ...chain, hash };
  }

  async function takeBack(from: FileHandle): Promise<void> {
    if (isDevice) return;
    await from.truncate(size).catch(() => {
      distrusted = true;
    });
    if (size > 0) return;
    // Not even its first line was written: the next try begins it anew.
    await from.close();
    file = null;
    chain = { ...chain, segment: chain.segment - 1 };
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

  await resume();
  // Said at once when nothing can be written there.
  file ??= await open(path, "a", 0o600);
  isDevice = !(await file.stat()).isFile();
  if (size === 0) {
    await file.close();
    file = null;
  }
  const target = {
    append,
    async close() {
      await file?.close();
    },
  };
  return createBatchSink(target, hooks);
}

function ignoreMissing(error: NodeJS.ErrnoException): void {
  if (error.code !== "ENOENT") throw error;
}

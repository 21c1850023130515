import { randomUUID } from "node:crypto";
import { rename, rm, stat } from "node:fs/promises";
import { dirname } from "node:path";
import { type BatchTarget, createBatchSink } from "./batch.ts";
import { type ChainState, NO_HASH, repairedLine, retiredLine, sealLine, sealOf, segmentLine } from "./chain.ts";
import { createDeviceSink } from "./device-sink.ts";
import { lockTrail, type TrailLock } from "./lock.ts";
import { readSegmentFile } from "./read-segment-file.ts";
import { createRetention, type Retention, type RetentionOptions } from "./retention.ts";
import { createSegmentFile, resumeSegmentFile, type SegmentFile, syncDirectory } from "./segment-file.ts";
import { closedPath, closedSegments } from "./segment-names.ts";
import type { SealSigner } from "./signature.ts";
import type { AuditSink, AuditSinkHooks } from "./sink.ts";

/** Where the trail lies and when it is rotated. */
export interface FileSinkOptions extends RetentionOptions {
  readonly path: string;
  /** A file that would grow past this many bytes is closed first. */
  readonly maxBytes: number;
  /** A file is closed when so many milliseconds have passed since it was begun; null for never. */
  readonly maxAgeMs: number | null;
  /** Signs the seals; null for seals that anybody could make. */
  readonly signer: SealSigner | null;
  /** The wall clock in milliseconds. */
  now(): number;
}

/** What a seal takes at most. */
const SEAL_BYTES = sealLine(Number.MAX_SAFE_INTEGER, NO_HASH, "A".repeat(88)).length;

/**
 * A sink that appends to a file (mode 0600), seals each batch, writes it durably (O_DSYNC), closes the file by size and
 * age, and deletes and compresses closed ones. Batches are never split over two files, and what of a failed one was written is
 * cut off again. A file that the disk did not keep is never trusted again: it is let go of, with the lock, so that its disk can be
 * taken away and mended, and writing goes on in a new one, wherever the path then leads.
 * @throws when the file cannot be had at all, or another process writes it
 */
export async function createFileSink(options: FileSinkOptions, hooks: AuditSinkHooks): Promise<AuditSink> {
  const { path } = options;
  const found = await stat(path).catch(() => null);
  if (found !== null && !found.isFile()) return createDeviceSink(path, hooks);
  const lock = lockTrail(path);
  try {
    const retention = await createRetention(path, options, (message) => hooks.warn(message));
    const writer = new TrailWriter(options, retention, lock);
    await writer.resume();
    return createBatchSink(writer, hooks);
  } catch (error) {
    lock.release();
    throw error;
  }
}

class TrailWriter implements BatchTarget {
  private file: SegmentFile | null = null;
  private begunMs = 0;
  private chain: ChainState = { trail: randomUUID(), segment: 0, hash: NO_HASH };
  private readonly options: FileSinkOptions;
  private readonly retention: Retention;
  private lock: TrailLock | null;

  constructor(options: FileSinkOptions, retention: Retention, lock: TrailLock) {
    this.options = options;
    this.retention = retention;
    this.lock = lock;
  }

  /** Goes on with what is there: of this file, or of the last closed one. */
  async resume(): Promise<void> {
    const found = await readSegmentFile(this.options.path);
    if (found === null) {
      await this.goOnAfterClosed();
      await this.prove();
    } else if (found.head === null || found.broken !== null) {
      // Nothing of ours, or not as it was left: that stays as it is under the next number, and a new file is begun.
      const { head, hash } = found;
      if (head === null) await this.goOnAfterClosed();
      this.chain = head === null ? { ...this.chain, segment: this.chain.segment + 1 } : { ...head, hash };
      await this.setAside(this.chain.segment, this.options.now());
    } else {
      this.chain = { ...found.head, hash: found.hash };
      this.begunMs = Date.parse(found.head.time);
      this.file = await resumeSegmentFile(this.options.path, found.sealedBytes + found.unsealed.length);
      if (found.unsealed.length + found.tornBytes > 0) await this.repair(found.unsealed, found.tornBytes);
    }
  }

  private async goOnAfterClosed(): Promise<void> {
    const last = (await closedSegments(this.options.path)).at(-1);
    if (last === undefined) return;
    const before = await readSegmentFile(last.path);
    const { trail } = before?.head ?? this.chain;
    this.chain = { trail, segment: last.segment, hash: before?.hash ?? NO_HASH };
  }

  /** A directory that cannot be written is said at start. */
  private async prove(): Promise<void> {
    await rm(this.options.path, { force: true });
    await (await createSegmentFile(this.options.path)).discard();
  }

  private async repair(unsealed: Buffer, tornBytes: number): Promise<void> {
    const lines = unsealed.toString("latin1").split("\n").length - 1;
    await this.write(this.file, this.chain, [Buffer.from(repairedLine(lines, tornBytes))], [unsealed]);
  }

  async append(bytes: Buffer): Promise<void> {
    const nowMs = this.options.now();
    if (this.lock === null) await this.holdAgain();
    try {
      await this.add(bytes, nowMs);
    } catch (error) {
      if (this.file === null || this.file.distrusted) await this.letGo();
      throw error;
    }
  }

  /** What remains under the path is set aside when the next file is begun. */
  private async letGo(): Promise<void> {
    const { file, lock } = this;
    this.file = null;
    this.lock = null;
    lock?.release();
    await file?.close().catch(() => {});
  }

  /** Only where the trail is: not under the place where its disk was mounted. */
  private async holdAgain(): Promise<void> {
    const { path } = this.options;
    const { segment } = this.chain;
    const isHere =
      segment === 0 ||
      (await stat(path).catch(() => null)) !== null ||
      (await closedSegments(path)).some((each) => each.segment === segment);
    if (!isHere) {
      throw new Error(
        `${path} is gone, and so is ${closedPath(path, segment)}: bring the disk back, or restart the server to begin anew`,
      );
    }
    this.lock = lockTrail(path);
  }

  private async add(bytes: Buffer, nowMs: number): Promise<void> {
    if (this.file !== null && this.isDone(this.file, bytes.length, nowMs)) await this.finish(nowMs);
    const through = this.retention.due(nowMs);
    const retired = through === 0 ? [] : [Buffer.from(retiredLine(through))];
    if (this.file === null) await this.begin(nowMs, [...retired, bytes]);
    else await this.write(this.file, this.chain, [...retired, bytes]);
    // The trail says first what is deleted then.
    if (through !== 0) this.retention.tidy(through);
  }

  private isDone(file: SegmentFile, bytes: number, nowMs: number): boolean {
    const { maxBytes, maxAgeMs } = this.options;
    if (file.size + bytes + SEAL_BYTES > maxBytes) return true;
    return maxAgeMs !== null && nowMs - this.begunMs >= maxAgeMs;
  }

  private async finish(nowMs: number): Promise<void> {
    const { file } = this;
    this.file = null;
    await file?.close(nowMs);
    await this.setAside(this.chain.segment, nowMs);
    this.retention.tidy(0);
  }

  private async begin(nowMs: number, lines: readonly Buffer[]): Promise<void> {
    // One is left only where an earlier try to set it aside failed.
    await this.setAside(this.chain.segment, nowMs);
    const begun = { ...this.chain, segment: this.chain.segment + 1 };
    const file = await createSegmentFile(this.options.path);
    try {
      await this.write(file, begun, [Buffer.from(segmentLine(begun, nowMs)), ...lines]);
    } catch (error) {
      await file.discard();
      throw error;
    }
    this.file = file;
    this.begunMs = nowMs;
  }

  /** Gives the file, if there is one, its number. What already has a number is never replaced. */
  private async setAside(segment: number, nowMs: number): Promise<void> {
    const { path } = this.options;
    if ((await stat(path).catch(() => null)) === null) return;
    const isTaken = (await closedSegments(path)).some((each) => each.segment === segment);
    await rename(path, isTaken ? `${closedPath(path, segment)}.left-${randomUUID()}` : closedPath(path, segment));
    await syncDirectory(dirname(path));
    if (!isTaken) this.retention.closed(segment, nowMs);
  }

  /** All of it, with a seal over it and over what stands `before` it, durably; or none. */
  private async write(
    to: SegmentFile | null,
    state: ChainState,
    lines: readonly Buffer[],
    before: readonly Buffer[] = [],
  ): Promise<void> {
    const hash = sealOf(state.hash, ...before, ...lines);
    const signature = this.options.signer?.({ ...state, hash }) ?? null;
    await to?.append([...lines, Buffer.from(sealLine(state.segment, hash, signature))]);
    this.chain = { ...state, hash };
  }

  async close(): Promise<void> {
    await this.file?.close();
    await this.retention.idle();
    this.lock?.release();
  }
}

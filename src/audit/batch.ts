import type { AuditSink, AuditSinkState } from "./sink.ts";

/** Where a batch of whole lines goes. */
export interface BatchTarget {
  /** Writes all of it or rejects. Never called while another call is under way. The bytes are valid until it settles. */
  append(bytes: Buffer): Promise<void>;
  close(): Promise<void>;
}

/** Lines wait at most this long before a write starts. */
const MAX_WAIT_MS = 10;
/** A write starts as soon as this many bytes wait. */
const MAX_WAITING = 256 * 1024;
/** Lines that would make more bytes than this wait are lost and counted: a stuck disk must not take all memory. */
const MAX_HELD = 16 * 1024 * 1024;

/** A sink that collects lines for at most 10 ms or 256 KiB and writes them in order, one write at a time. */
export function createBatchSink(target: BatchTarget): AuditSink {
  const state = { written: 0, failed: 0, failure: null as string | null };
  let waiting = Buffer.allocUnsafe(MAX_WAITING + 64 * 1024);
  let spare = Buffer.allocUnsafe(MAX_WAITING + 64 * 1024);
  let used = 0;
  let lines = 0;
  let timer: NodeJS.Timeout | null = null;
  let writing: Promise<void> | null = null;

  function write(line: string): void {
    // A UTF-16 code unit takes at most three bytes.
    if (!makeRoom(line.length * 3 + 1)) {
      state.failed += 1;
      state.failure = "the destination is too slow";
      return;
    }
    used += waiting.write(line, used, "utf8");
    waiting[used] = 0x0a;
    used += 1;
    lines += 1;
    if (writing === null) schedule();
  }

  function makeRoom(bytes: number): boolean {
    if (used + bytes <= waiting.length) return true;
    if (used + bytes > MAX_HELD) return false;
    const larger = Buffer.allocUnsafe(Math.max(waiting.length * 2, used + bytes));
    waiting.copy(larger, 0, 0, used);
    waiting = larger;
    return true;
  }

  function schedule(): void {
    if (used >= MAX_WAITING) start();
    else timer ??= setTimeout(start, MAX_WAIT_MS);
  }

  function start(): void {
    if (timer !== null) clearTimeout(timer);
    timer = null;
    if (writing === null && lines > 0) writing = writeBatch();
  }

  async function writeBatch(): Promise<void> {
    const batch = waiting;
    const bytes = batch.subarray(0, used);
    const count = lines;
    waiting = spare;
    used = 0;
    lines = 0;
    try {
      await target.append(bytes);
      state.written += count;
      state.failure = null;
    } catch (error) {
      state.failed += count;
      state.failure = error instanceof Error ? error.message : String(error);
    }
    spare = batch;
    writing = null;
    if (lines > 0) schedule();
  }

  async function flush(): Promise<void> {
    for (start(); writing !== null; start()) await writing;
  }

  return {
    write,
    flush,
    async close() {
      await flush();
      await target.close().catch(() => {});
    },
    state: state satisfies AuditSinkState,
  };
}

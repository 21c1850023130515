import type { AuditSink, AuditSinkState } from "./sink.ts";

/** Where a batch of whole lines goes. */
export interface BatchTarget {
  /** Writes all of it or rejects. Never called while another call is under way. */
  append(text: string): Promise<void>;
  close(): Promise<void>;
}

/** Lines wait at most this long before a write starts. */
const MAX_WAIT_MS = 10;
/** A write starts as soon as this many characters wait. */
const MAX_WAITING = 64 * 1024;
/** Lines beyond this many waiting characters are lost and counted: a stuck disk must not take all memory. */
const MAX_HELD = 16 * 1024 * 1024;

/** A sink that collects lines for at most 10 ms or 64 KiB and writes them in order, one write at a time. */
export function createBatchSink(target: BatchTarget): AuditSink {
  const state = { written: 0, failed: 0, failure: null as string | null };
  let waiting = "";
  let lines = 0;
  let timer: NodeJS.Timeout | null = null;
  let writing: Promise<void> | null = null;

  function write(line: string): void {
    if (waiting.length > MAX_HELD) {
      state.failed += 1;
      state.failure = "the destination is too slow";
      return;
    }
    waiting += `${line}\n`;
    lines += 1;
    if (writing === null) schedule();
  }

  function schedule(): void {
    if (waiting.length >= MAX_WAITING) start();
    else timer ??= setTimeout(start, MAX_WAIT_MS);
  }

  function start(): void {
    if (timer !== null) clearTimeout(timer);
    timer = null;
    if (writing === null && lines > 0) writing = writeBatch();
  }

  async function writeBatch(): Promise<void> {
    const text = waiting;
    const count = lines;
    waiting = "";
    lines = 0;
    try {
      await target.append(text);
      state.written += count;
      state.failure = null;
    } catch (error) {
      state.failed += count;
      state.failure = error instanceof Error ? error.message : String(error);
    }
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

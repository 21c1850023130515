import { type AuditSink, type AuditSinkHooks, type AuditSinkState, noLines } from "./sink.ts";

/** Where a batch of whole lines goes. */
export interface BatchTarget {
  /** Writes all of it durably or rejects. Never called while another call is under way. The bytes are valid until it settles. */
  append(bytes: Buffer): Promise<void>;
  close(): Promise<void>;
}

/** Lines that nobody waits for wait at most this long before a write starts. */
const MAX_WAIT_MS = 10;
/** Answers that may be ahead of their records in mode `batch`: those of one batch being written, and of one waiting. */
export const BATCH_WINDOW = 256;
/** A write starts as soon as this many lines wait, whatever came during the one before: both together are no more than the window. */
const LEAST_LINES = BATCH_WINDOW / 2;
/** Where few lines come during a write, a write starts at so many. It costs nearly the same for twice the lines, so fewer are made. */
const MOST_LINES = BATCH_WINDOW - 32;
/** Lines that would make more bytes than this wait are lost and counted: a stuck disk must not take all memory. */
const MAX_HELD = 16 * 1024 * 1024;
const FIRST_BUFFER = 128 * 1024;
/** After a failure writing is tried again so often, also when there is nothing to write: nobody sends requests to a server that is not ready. */
const RETRY_MS = 500;
/** A write that takes longer counts as failing until it is done: whoever waits for it is told so, within a second of asking. */
const STALLED_MS = 600;

/** A sink that collects lines for at most 10 ms, or 128 to 224 lines, and writes them in order, one write at a time. */
export function createBatchSink(target: BatchTarget, hooks: AuditSinkHooks): AuditSink {
  const state = noLines();
  let waiting = Buffer.allocUnsafe(FIRST_BUFFER);
  let spare = Buffer.allocUnsafe(FIRST_BUFFER);
  let used = 0;
  let lines = 0;
  /** So many lines are a batch. */
  let enough = LEAST_LINES;
  let asking: ((durable: boolean) => void)[] = [];
  let timer: NodeJS.Timeout | null = null;
  let soon: NodeJS.Immediate | null = null;
  let again: NodeJS.Timeout | null = null;
  let writing: Promise<void> | null = null;
  /** Lost since the last gap that was written. */
  let lost = 0;
  let stalled = false;
  let closed = false;

  function write(line: string, settled?: (durable: boolean) => void): void {
    state.taken += 1;
    if (!add(line)) {
      state.tooSlow += 1;
      lose(1, "the destination is too slow");
      if (settled !== undefined) queueMicrotask(() => settled(false));
      return;
    }
    lines += 1;
    state.pending += 1;
    if (settled !== undefined) {
      if (stalled) queueMicrotask(() => settled(false));
      else asking.push(settled);
    }
    if (writing === null) schedule();
  }

  /** False when there is no room. */
  function add(line: string): boolean {
    // A UTF-16 code unit takes at most three bytes.
    if (!makeRoom(line.length * 3 + 1)) return false;
    used += waiting.write(line, used, "utf8");
    waiting[used] = 0x0a;
    used += 1;
    return true;
  }

  function makeRoom(bytes: number): boolean {
    if (used + bytes <= waiting.length) return true;
    if (used + bytes > MAX_HELD) return false;
    const larger = Buffer.allocUnsafe(Math.max(waiting.length * 2, used + bytes));
    waiting.copy(larger, 0, 0, used);
    waiting = larger;
    return true;
  }

  function lose(count: number, failure: string): void {
    state.failed += count;
    lost += count;
    setFailure(failure);
  }

  function setFailure(failure: string | null): void {
    const changed = (failure === null) !== (state.failure === null);
    state.failure = failure;
    if (changed) hooks.changed(failure);
  }

  function schedule(): void {
    if (lines >= enough) start();
    // What comes while somebody's line is written is the next batch: nobody need wait for it to fill.
    else if (asking.length > 0) soon ??= setImmediate(start);
    else timer ??= setTimeout(start, MAX_WAIT_MS);
  }

  function start(): void {
    if (soon !== null) clearImmediate(soon);
    soon = null;
    if (lines === 0 || writing !== null) return;
    if (timer !== null) clearTimeout(timer);
    timer = null;
    writing = writeBatch();
  }

  function retry(): void {
    if (writing === null) writing = writeBatch();
  }

  async function writeBatch(): Promise<void> {
    if (again !== null) clearTimeout(again);
    again = null;
    const batch = waiting;
    const bytes = batch.subarray(0, used);
    const count = lines;
    let asked = asking;
    const told = lost;
    waiting = spare;
    used = 0;
    lines = 0;
    asking = [];
    let durable = true;
    const watch = setTimeout(() => {
      // What is written is not lost yet, but nobody waits for it any longer.
      const tired = [...asked, ...asking];
      asked = [];
      asking = [];
      stalled = true;
      setFailure(`a write has taken more than ${STALLED_MS} ms`);
      for (const settled of tired) settled(false);
    }, STALLED_MS);
    try {
      const gap = told === 0 ? [] : [Buffer.from(`${hooks.gap(told, state.failure ?? "")}\n`)];
      await target.append(gap.length === 0 ? bytes : Buffer.concat([...gap, bytes]));
      state.written += count;
      lost -= told;
      setFailure(null);
    } catch (error) {
      durable = false;
      lose(count, error instanceof Error ? error.message : String(error));
    }
    clearTimeout(watch);
    stalled = false;
    state.pending -= count;
    spare = batch;
    writing = null;
    // Twice what came during this write may come during the next before anybody has to wait for it.
    enough = Math.min(Math.max(BATCH_WINDOW - 2 * lines, LEAST_LINES), MOST_LINES);
    if (lines > 0) schedule();
    else if (!durable && !closed) again = setTimeout(retry, RETRY_MS);
    for (const settled of asked) settled(durable);
  }

  async function flush(): Promise<void> {
    for (start(); writing !== null; start()) await writing;
  }

  return {
    write,
    flush,
    async close() {
      closed = true;
      await flush();
      if (again !== null) clearTimeout(again);
      await target.close().catch(() => {});
    },
    state: state satisfies AuditSinkState,
  };
}

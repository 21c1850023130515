/** What is told of a worker: one run of the filter in one worker of a gateway, by a name that only it and we know. */
export interface WorkerEvent {
  readonly event: "worker-seen" | "worker-gap";
  readonly detail: Readonly<Record<string, unknown>>;
}

/** Knows what the filters of gateways have numbered, and what of it came on record here. */
export interface Sequences {
  /** The worker has numbered so many by now. Returns for how many milliseconds something of them has been missing, at most; infinite while entries are known to get lost. */
  told(worker: string, last: number): number;
  /**
   * An entry of this number has come. `new`: it must be recorded, and `settled` called then; `known`: it is on record already; `ended`: it
   * is on record, and this entry says how it ended.
   */
  heard(worker: string, number: number, isIntermediate: boolean): "new" | "known" | "ended";
  /** What became of the record of this number is known. */
  settled(worker: string, number: number): void;
  /** Counts what has been missing for too long as lost. To be called now and then. */
  review(): void;
  readonly workers: number;
  readonly lost: number;
}

/** What is missing for longer is lost: entries of streams that go on come each second, and others at once. */
const LOST_MS = 10_000;
/** Workers that were not heard of for so long are gone. */
const GONE_MS = 600_000;

/** So many were numbered after `sinceMs`, which was known at `knownMs`: the one tells for how long they may be missing, the other for how long they surely are. */
interface Mark {
  last: number;
  readonly sinceMs: number;
  readonly knownMs: number;
}

/** What becomes known within so long is one mark. */
const MARK_MS = 1_000;

interface Worker {
  /** All up to this number are settled or lost. */
  through: number;
  /** Settled beyond it. */
  readonly ahead: Set<number>;
  /** On record, but still going on. */
  readonly open: Set<number>;
  /** Oldest first, all beyond `through`. */
  readonly marks: Mark[];
  toldMs: number;
  heardMs: number;
  /** Entries got lost, and none has come since. */
  isSuspect: boolean;
}

/**
 * Creates it. Numbers that were given before a worker was first heard of are another server's affair; `tell` says where this one's begin.
 * @param nowMs A clock that no one sets.
 */
export function createSequences(nowMs: () => number, tell: (event: WorkerEvent) => void): Sequences {
  const workers = new Map<string, Worker>();
  let lost = 0;

  function find(name: string, before: number): Worker {
    let worker = workers.get(name);
    if (worker === undefined) {
      const now = nowMs();
      const none = { ahead: new Set<number>(), open: new Set<number>(), marks: [], isSuspect: false };
      worker = { through: before, toldMs: now, heardMs: now, ...none };
      workers.set(name, worker);
      if (before > 0) tell({ event: "worker-seen", detail: { worker: name, after: before } });
    }
    return worker;
  }

  /** So many are numbered by now, those beyond the last mark after the last telling. */
  function mark(worker: Worker, last: number): void {
    const newest = worker.marks.at(-1);
    if (last <= (newest?.last ?? worker.through)) return;
    const { toldMs: sinceMs } = worker;
    const knownMs = nowMs();
    if (newest?.sinceMs === sinceMs && knownMs - newest.knownMs < MARK_MS) newest.last = last;
    else worker.marks.push({ last, sinceMs, knownMs });
  }

  function advance(worker: Worker): void {
    while (worker.ahead.delete(worker.through + 1)) worker.through += 1;
    while ((worker.marks[0]?.last ?? Number.POSITIVE_INFINITY) <= worker.through) worker.marks.shift();
  }

  /** Everything up to this number is settled or lost. */
  function giveUp(name: string, worker: Worker, last: number): void {
    const from = worker.through + 1;
    let missing = last - worker.through;
    for (const number of worker.ahead) {
      if (number > last) continue;
      worker.ahead.delete(number);
      missing -= 1;
    }
    worker.through = last;
    advance(worker);
    if (missing === 0) return;
    lost += missing;
    worker.isSuspect = true;
    tell({ event: "worker-gap", detail: { worker: name, from, through: last, lost: missing } });
  }

  function reviewOne(name: string, worker: Worker): void {
    const now = nowMs();
    let overdue = 0;
    for (const { last, knownMs } of worker.marks) if (now - knownMs > LOST_MS) overdue = last;
    if (overdue > worker.through) giveUp(name, worker, overdue);
  }

  return {
    told(name, last) {
      const worker = find(name, last);
      const now = nowMs();
      mark(worker, last);
      worker.toldMs = now;
      worker.heardMs = now;
      reviewOne(name, worker);
      if (worker.isSuspect) return Number.POSITIVE_INFINITY;
      const [oldest] = worker.marks;
      return oldest === undefined ? 0 : now - oldest.sinceMs;
    },
    heard(name, number, isIntermediate) {
      const worker = find(name, number - 1);
      worker.heardMs = nowMs();
      worker.isSuspect = false;
      if (worker.open.has(number)) {
        if (isIntermediate) return "known";
        worker.open.delete(number);
        return "ended";
      }
      if (isIntermediate) worker.open.add(number);
      // What was missing before must not stay unnoticed until the worker tells how far it is.
      mark(worker, number);
      return "new";
    },
    settled(name, number) {
      const worker = workers.get(name);
      if (worker === undefined || number <= worker.through) return;
      worker.ahead.add(number);
      advance(worker);
    },
    review() {
      const now = nowMs();
      for (const [name, worker] of workers) {
        reviewOne(name, worker);
        if (now - worker.heardMs > GONE_MS) workers.delete(name);
      }
    },
    get workers() {
      return workers.size;
    },
    get lost() {
      return lost;
    },
  };
}

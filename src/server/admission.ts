/** Why a Check was refused before it was read; the values of the label `reason`. */
export const REFUSALS = ["waited", "overload", "in-flight", "stalled"] as const;
export type Refusal = (typeof REFUSALS)[number];

/** What a server takes on. */
export interface AdmissionOptions {
  /** So many milliseconds a Check may have waited when it is read, and those before it for their records. */
  readonly maxWaitMs: number;
  /** So many Checks may wait for their records at once. */
  readonly maxInFlight: number;
}

/** What is to be known of the event loop. */
export interface LoopClock {
  /** Milliseconds that only grow. */
  now(): number;
  /** Milliseconds that the loop had nothing to do so far. */
  idle(): number;
  /** Calls once when all that the loop found to read is dealt with, without keeping it from waiting. */
  afterTurn(ended: () => void): void;
}

/** Decides which Checks are taken on. Whoever is not is refused at once, at a small part of what an answer costs. */
export interface Admission {
  /** May this Check, of which nothing is read yet, be taken on? Counts it where not. */
  admit(): boolean;
  /** A Check was read, at that time of the loop's clock. */
  began(nowMs: number): void;
  /** Its answer was given. */
  ended(nowMs: number): void;
  readonly inFlight: number;
  readonly refused: Readonly<Record<Refusal, number>>;
}

/** Less than this is the call that asks for events, not waiting for them. */
const IDLE_MS = 0.02;
/** The smallest part of the Checks that is still taken on, so that it shows when more can be. */
const LEAST_SHARE = 0.02;
const SHRINK_AT_MOST = 0.7;
const GROWTH = 0.25;
const GROWTH_WHEN_IDLE = 0.5;

/**
 * The queue of a server with one thread is what its connections hold while it does something else. How long a Check has lain there is known from the loop, by half a turn: whatever is read now came after the loop
 * last began to read, unless it had nothing to do since. Turns that each last longer than a tenth of `maxWaitMs`, for `maxWaitMs` on end, are a queue that does not go away: then only a
 * share of the Checks is taken on, which is made so large that turns last that tenth. A single pause refuses nobody who has not waited for `maxWaitMs`.
 */
export function createAdmission({ maxWaitMs, maxInFlight }: AdmissionOptions, loop: LoopClock = NODE_LOOP): Admission {
  const targetMs = maxWaitMs / 10;
  const refused: Record<Refusal, number> = { waited: 0, overload: 0, "in-flight": 0, stalled: 0 };
  /** A turn is being watched, in it Checks were read. */
  let isWatched = false;
  let hasChecks = false;
  /** When the first Check of this turn was read, and when those of this turn came on average. */
  let begunMs = 0;
  let cameMs = 0;
  /** When the turn before began to read, and when it ended. */
  let beforeMs = 0;
  let endedMs = 0;
  let idleMs = 0;
  /** When the first of the long turns that followed each other began; null after a short one. */
  let longMs: number | null = null;
  let share = 1;
  let credit = 0;
  let inFlight = 0;
  /** When an answer was last given, or none was waited for. */
  let movedMs = 0;

  function watch(): void {
    isWatched = true;
    loop.afterTurn(turnEnded);
  }

  function firstCheck(nowMs: number): void {
    hasChecks = true;
    begunMs = nowMs;
    const hasWaited = !isWatched || loop.idle() - idleMs > IDLE_MS;
    // Of Checks that came while the turn before lasted, some came at its beginning and some at its end.
    cameMs = hasWaited ? nowMs : (beforeMs + nowMs) / 2;
    // What was learnt of a load that is over says nothing of this one.
    if (hasWaited && nowMs - endedMs > maxWaitMs) {
      share = 1;
      longMs = null;
    }
    if (isWatched) return;
    endedMs = nowMs;
    idleMs = loop.idle();
    watch();
  }

  function turnEnded(): void {
    const nowMs = loop.now();
    const idle = loop.idle();
    const wasIdle = idle - idleMs > IDLE_MS;
    learn(nowMs, hasChecks ? nowMs - begunMs : 0, wasIdle);
    beforeMs = hasChecks ? begunMs : endedMs;
    // While Checks were read nobody could be told that a record was written.
    if (hasChecks) movedMs += nowMs - begunMs;
    endedMs = nowMs;
    idleMs = idle;
    isWatched = false;
    // A loop that waited since had read all there was: nothing need be known of it when the next Check comes.
    if (hasChecks || !wasIdle) watch();
    hasChecks = false;
  }

  function learn(nowMs: number, lastedMs: number, wasIdle: boolean): void {
    if (lastedMs < targetMs) {
      longMs = null;
      if (share === 1) return;
      const growth = wasIdle ? GROWTH_WHEN_IDLE : GROWTH * Math.min(1, (nowMs - endedMs) / targetMs);
      share = Math.min(1, share * (1 + growth));
      return;
    }
    longMs ??= begunMs;
    if (share < 1 || begunMs - longMs >= maxWaitMs) {
      share = Math.max(LEAST_SHARE, share * Math.max(SHRINK_AT_MOST, Math.sqrt(targetMs / lastedMs)));
    }
  }

  function refusal(nowMs: number): Refusal | null {
    if (inFlight >= maxInFlight) return "in-flight";
    if (inFlight > 0 && nowMs - movedMs > maxWaitMs) return "stalled";
    if (nowMs - cameMs > maxWaitMs) return "waited";
    if (share === 1) return null;
    credit += share;
    if (credit < 1) return "overload";
    credit -= 1;
    return null;
  }

  return {
    admit() {
      const nowMs = loop.now();
      if (!hasChecks) firstCheck(nowMs);
      const why = refusal(nowMs);
      if (why !== null) refused[why] += 1;
      return why === null;
    },
    began(nowMs) {
      if (inFlight === 0) movedMs = nowMs;
      inFlight += 1;
    },
    ended(nowMs) {
      inFlight -= 1;
      movedMs = nowMs;
    },
    get inFlight() {
      return inFlight;
    },
    refused,
  };
}

const NODE_LOOP: LoopClock = {
  now: () => performance.now(),
  idle: () => performance.nodeTiming.idleTime,
  afterTurn: (ended) => void setImmediate(ended).unref(),
};

import type { AuditTrail } from "../audit/trail.ts";
import type { Exception, ExceptionState } from "../policy/exceptions.ts";
import { type ExceptionList, endedBy } from "./exception-list.ts";
import type { Logger } from "./logger.ts";

/** How many exceptions there are, by where they stand, and when the next one ends. */
export interface ExceptionCounts {
  readonly states: Readonly<Record<ExceptionState, number>>;
  /** Milliseconds until the next one ends; null when none is to end. */
  readonly nextEndMs: number | null;
}

/** Tells of rules that are about to end and of those that have. */
export interface ExceptionWatch {
  /** Takes the exceptions of a revision that came into force. */
  renew(revision: string, exceptions: ExceptionList): void;
  counts(): ExceptionCounts;
  close(): void;
}

export interface ExceptionWatchOptions {
  /** How long before its end an exception is told of. */
  readonly leadMs: number;
  now(): number;
  readonly trail: Pick<AuditTrail, "event">;
  readonly log: Pick<Logger, "warn">;
}

/** The wall clock is looked at so often: it can be set, which no timer would notice. */
const TICK_MS = 1000;

/** What was told of an exception. */
const [UNTOLD, ENDING, ENDED] = [0, 1, 2];
const NONE: ExceptionList = {
  expires: new Float64Array(),
  at(index) {
    throw new RangeError(`there is no exception ${index}`);
  },
};

/**
 * Watches the exceptions in force. As long as a rule with an end is in force, a server tells once that it is about to end and
 * once that it has; a new end is another exception. What had ended longer ago than the lead when it was first seen is not told.
 */
export function createExceptionWatch({ leadMs, now, trail, log }: ExceptionWatchOptions): ExceptionWatch {
  let current: ExceptionList = NONE;
  let revision = "";
  /** By key, of those whose end is near or past; and the same by place in the list. */
  let told = new Map<string, { readonly expires: number; readonly state: number }>();
  let states = new Uint8Array();
  /** The first whose end was not long past when the list came. */
  let first = 0;
  let nextMs = Number.POSITIVE_INFINITY;

  function tell(event: "exception-ending" | "exception-ended", exception: Exception): void {
    const { rule, effect, mode, owner, ticket, reason } = exception;
    const expires = new Date(exception.expires).toISOString();
    trail.event({ event, detail: { revision, rule, effect, mode, expires, owner, ticket, reason } });
    const what = event === "exception-ended" ? "a rule has expired" : "a rule is about to expire";
    log.warn({ rule, effect, expires, owner, ticket }, what);
  }

  function mark(index: number, state: number): void {
    const exception = current.at(index);
    states[index] = state;
    told.set(keyOf(exception), { expires: exception.expires, state });
  }

  function look(): void {
    const nowMs = now();
    nextMs = Number.POSITIVE_INFINITY;
    for (let index = first; index < current.expires.length; index += 1) {
      const expires = current.expires[index] ?? 0;
      if (expires - leadMs > nowMs) {
        nextMs = Math.min(nextMs, expires - leadMs);
        break;
      }
      const state = states[index] ?? UNTOLD;
      // Also when the clock was set back since.
      if (state === ENDED) continue;
      if (expires <= nowMs) {
        tell("exception-ended", current.at(index));
        mark(index, ENDED);
        continue;
      }
      // With no lead there is nothing to tell ahead.
      if (state === UNTOLD && leadMs > 0) tell("exception-ending", current.at(index));
      if (state === UNTOLD) mark(index, ENDING);
      nextMs = Math.min(nextMs, expires);
    }
  }

  const timer = setInterval(() => {
    if (now() >= nextMs) look();
  }, TICK_MS);
  timer.unref();

  return {
    renew(inForce, exceptions) {
      const nowMs = now();
      if (nowMs >= nextMs) look();
      const known = told;
      revision = inForce;
      current = exceptions;
      told = new Map();
      states = new Uint8Array(exceptions.expires.length);
      first = endedBy(exceptions, nowMs - leadMs);
      for (const end of new Set([...known.values()].map(({ expires }) => expires))) {
        for (let index = endedBy(exceptions, end - 1); exceptions.expires[index] === end; index += 1) {
          const state = known.get(keyOf(exceptions.at(index)))?.state;
          if (state !== undefined) mark(index, state);
        }
      }
      look();
    },
    counts() {
      const nowMs = now();
      const expired = endedBy(current, nowMs);
      const soon = endedBy(current, nowMs + leadMs) - expired;
      const next = current.expires[expired];
      return {
        states: { expired, soon, later: current.expires.length - expired - soon },
        nextEndMs: next === undefined ? null : next - nowMs,
      };
    },
    close() {
      clearInterval(timer);
    },
  };
}

function keyOf({ rule, expires }: Exception): string {
  return `${rule} ${expires}`;
}

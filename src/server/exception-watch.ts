import type { AuditTrail } from "../audit/trail.ts";
import { type Exception, type ExceptionState, exceptionState } from "../policy/exceptions.ts";
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
  renew(revision: string, exceptions: readonly Exception[]): void;
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

/**
 * Watches the exceptions in force. As long as a rule with an end is in force, a server tells once that it is about to end and
 * once that it has; a new end is another exception. What had ended longer ago than the lead when it was first seen is not told.
 */
export function createExceptionWatch({ leadMs, now, trail, log }: ExceptionWatchOptions): ExceptionWatch {
  let current: readonly Exception[] = [];
  let revision = "";
  let told = new Map<string, { ending: boolean; ended: boolean }>();
  let nextMs = Number.POSITIVE_INFINITY;

  function tell(event: "exception-ending" | "exception-ended", exception: Exception): void {
    const { rule, effect, mode, owner, ticket, reason } = exception;
    const expires = new Date(exception.expires).toISOString();
    trail.event({ event, detail: { revision, rule, effect, mode, expires, owner, ticket, reason } });
    const what = event === "exception-ended" ? "a rule has expired" : "a rule is about to expire";
    log.warn({ rule, effect, expires, owner, ticket }, what);
  }

  function look(): void {
    const nowMs = now();
    nextMs = Number.POSITIVE_INFINITY;
    for (const exception of current) {
      const state = told.get(keyOf(exception)) ?? { ending: false, ended: false };
      const { expires } = exception;
      // Also when the clock was set back since.
      if (state.ended) continue;
      if (expires <= nowMs) {
        tell("exception-ended", exception);
        state.ended = true;
        continue;
      }
      if (expires - leadMs <= nowMs) {
        // With no lead there is nothing to tell ahead.
        if (!state.ending && leadMs > 0) tell("exception-ending", exception);
        state.ending = true;
      }
      nextMs = Math.min(nextMs, state.ending ? expires : expires - leadMs);
    }
  }

  const timer = setInterval(() => {
    if (now() >= nextMs) look();
  }, TICK_MS);
  timer.unref();

  return {
    renew(inForce, exceptions) {
      const nowMs = now();
      const known = told;
      revision = inForce;
      current = exceptions;
      told = new Map(
        exceptions.map((each) => {
          const key = keyOf(each);
          return [key, known.get(key) ?? { ending: false, ended: each.expires <= nowMs - leadMs }];
        }),
      );
      look();
    },
    counts() {
      const nowMs = now();
      const states = { expired: 0, soon: 0, later: 0 };
      let nextEndMs: number | null = null;
      for (const { expires } of current) {
        states[exceptionState(expires, nowMs, leadMs)] += 1;
        if (expires > nowMs) nextEndMs = Math.min(nextEndMs ?? Number.POSITIVE_INFINITY, expires - nowMs);
      }
      return { states, nextEndMs };
    },
    close() {
      clearInterval(timer);
    },
  };
}

function keyOf({ rule, expires }: Exception): string {
  return `${rule} ${expires}`;
}

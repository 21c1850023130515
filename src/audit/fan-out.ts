import { type AuditSink, type AuditSinkState, noLines } from "./sink.ts";

/** How many of several sinks must have a line before it counts as durable. */
export type AuditRequire = "all" | "any";

/** One sink over several. Each has every line; what the trail may rely on is what all of them, or any of them, have. */
export function createFanOut(sinks: readonly AuditSink[], require: AuditRequire): AuditSink {
  const counted = noLines();
  const state: AuditSinkState = {
    get taken() {
      return counted.taken;
    },
    get written() {
      return counted.written;
    },
    get failed() {
      return counted.failed;
    },
    get tooSlow() {
      return counted.tooSlow;
    },
    get pending() {
      return counted.pending;
    },
    get failure() {
      const failures = sinks.flatMap(({ state: { failure } }) => (failure === null ? [] : [failure]));
      const isFailing = require === "all" ? failures.length > 0 : failures.length === sinks.length;
      return isFailing ? failures.join("; ") : null;
    },
  };

  function write(line: string, settled?: (durable: boolean) => void): void {
    counted.taken += 1;
    counted.pending += 1;
    let had = 0;
    let missed = 0;
    let done = false;
    for (const sink of sinks) sink.write(line, answer);

    function answer(durable: boolean): void {
      if (durable) had += 1;
      else missed += 1;
      const isDurable = require === "all" ? had === sinks.length : had > 0;
      const isLost = require === "all" ? missed > 0 : missed === sinks.length;
      if (done || !(isDurable || isLost)) return;
      done = true;
      counted.pending -= 1;
      if (isDurable) counted.written += 1;
      else counted.failed += 1;
      settled?.(isDurable);
    }
  }

  return {
    write,
    async flush() {
      await Promise.all(sinks.map((each) => each.flush()));
    },
    async close() {
      await Promise.all(sinks.map((each) => each.close()));
    },
    state,
  };
}

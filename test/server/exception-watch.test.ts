import { afterEach, beforeEach, expect, test, vi } from "vitest";
import type { Exception } from "../../src/policy/exceptions.ts";
import { packExceptions, unpackExceptions } from "../../src/server/exception-list.ts";
import { createExceptionWatch, type ExceptionWatch } from "../../src/server/exception-watch.ts";

const DAY = 86_400_000;
const START = Date.parse("2026-11-23T12:00:00Z");

let nowMs = START;
let told: string[] = [];
let warned: unknown[] = [];
let watch: ExceptionWatch;

function start(leadMs = 7 * DAY): void {
  watch = createExceptionWatch({
    leadMs,
    now: () => nowMs,
    trail: { event: ({ event, detail }) => told.push(`${event} ${detail.rule} ${detail.revision}`) },
    log: { warn: (detail: unknown) => warned.push(detail) },
  });
}

function exception(rule: string, expires: number): Exception {
  const at = { file: "a.yaml", line: 1, column: 1 };
  const who = { owner: "team@example.com", ticket: "SEC-1", reason: "a trial" };
  return { rule, effect: "allow", mode: "enforce", notBefore: null, expires, ...who, at };
}

function listOf(exceptions: readonly Exception[]) {
  return unpackExceptions(packExceptions(exceptions.toSorted((a, b) => a.expires - b.expires)));
}

/** Sets the clock, and lets it be looked at. */
function at(ms: number): string[] {
  nowMs = ms;
  vi.advanceTimersByTime(1000);
  return told.splice(0);
}

beforeEach(() => {
  vi.useFakeTimers();
  nowMs = START;
  told = [];
  warned = [];
});
afterEach(() => {
  watch.close();
  vi.useRealTimers();
});

test("each exception is told of once ahead of its end, and once at it", () => {
  start();
  watch.renew("r1", listOf([exception("a", START + 10 * DAY), exception("b", START + 20 * DAY)]));
  expect(at(START + 3 * DAY - 1)).toEqual([]);
  expect(at(START + 3 * DAY)).toEqual(["exception-ending a r1"]);
  expect(at(START + 4 * DAY)).toEqual([]);
  expect(at(START + 10 * DAY - 1)).toEqual([]);
  expect(at(START + 10 * DAY)).toEqual(["exception-ended a r1"]);
  expect(at(START + 12 * DAY)).toEqual([]);
  expect(at(START + 13 * DAY)).toEqual(["exception-ending b r1"]);
  expect(at(START + 99 * DAY)).toEqual(["exception-ended b r1"]);
  expect(at(START + 999 * DAY)).toEqual([]);
  expect(warned).toHaveLength(4);
});

test("another revision tells nothing again, a new end is another exception, a removed rule is none", () => {
  start();
  watch.renew("r1", listOf([exception("a", START + DAY), exception("gone", START + DAY)]));
  expect(told.splice(0)).toEqual(["exception-ending a r1", "exception-ending gone r1"]);
  watch.renew("r2", listOf([exception("a", START + DAY)]));
  expect(told).toEqual([]);
  expect(at(START + DAY)).toEqual(["exception-ended a r2"]);
  watch.renew("r3", listOf([exception("a", START + 9 * DAY)]));
  expect(at(START + 2 * DAY)).toEqual(["exception-ending a r3"]);
});

test("a server that starts tells of what ended while none ran, but not of old times", () => {
  start();
  watch.renew(
    "r1",
    listOf([exception("old", START - 7 * DAY), exception("fresh", START - 7 * DAY + 1), exception("soon", START + 1)]),
  );
  expect(told.splice(0)).toEqual(["exception-ended fresh r1", "exception-ending soon r1"]);
});

test("a clock that jumps over an end tells of the end, and set back tells nothing again", () => {
  start();
  watch.renew("r1", listOf([exception("a", START + 30 * DAY)]));
  expect(at(START + 300 * DAY)).toEqual(["exception-ended a r1"]);
  expect(at(START + 25 * DAY)).toEqual([]);
  expect(at(START + 31 * DAY)).toEqual([]);
});

test("without a lead only the end is told", () => {
  start(0);
  watch.renew("r1", listOf([exception("a", START + DAY), exception("before", START)]));
  expect(told.splice(0)).toEqual([]);
  expect(at(START + DAY)).toEqual(["exception-ended a r1"]);
});

test("counts say where exceptions stand, whatever was told", () => {
  start();
  watch.renew(
    "r1",
    listOf([exception("a", START - 99 * DAY), exception("b", START + DAY), exception("c", START + 8 * DAY)]),
  );
  expect(watch.counts()).toEqual({ states: { expired: 1, soon: 1, later: 1 }, nextEndMs: DAY });
  nowMs = START + 9 * DAY;
  expect(watch.counts()).toEqual({ states: { expired: 3, soon: 0, later: 0 }, nextEndMs: null });
});

import { describe, expect, test } from "vitest";
import { type AdmissionOptions, createAdmission } from "../../src/server/admission.ts";
import { poisson, type SimulatedServer, simulate } from "./simulated-loop.ts";

const BOUND: AdmissionOptions = { maxWaitMs: 150, maxInFlight: 1024 };
const NO_BOUND: AdmissionOptions = { maxWaitMs: 3_600_000, maxInFlight: 1_000_000 };
const TIMEOUT_MS = 250;
/** As measured: what a Check takes, and what refusing one takes. */
const SERVER: SimulatedServer = { decideMs: 0.075, refuseMs: 0.005, connections: 8 };
const CAPACITY = 1_000 / SERVER.decideMs;
const SECONDS = 4;

function under(times: number, options = BOUND, server = SERVER) {
  return simulate(options, server, poisson(CAPACITY * times, SECONDS, 7));
}

/** Checks that were decided while somebody waited for them, against what the server can decide. */
function goodPut(decided: readonly number[]): number {
  return decided.filter((ms) => ms <= TIMEOUT_MS).length / (CAPACITY * SECONDS);
}

describe("a server that is asked three times what it can answer", () => {
  test("answers nearly as many as it can, long before they time out", () => {
    const { decided, refused, asked } = under(3);
    expect(goodPut(decided)).toBeGreaterThan(0.8);
    expect(Math.max(...decided)).toBeLessThan(TIMEOUT_MS);
    expect(decided.length + refused).toBe(asked);
  });

  test("would answer few in time if it took on all", () => {
    expect(goodPut(under(3, NO_BOUND).decided)).toBeLessThan(0.5);
  });

  test("treats connections alike", () => {
    const { byConnection } = under(3);
    expect(Math.min(...byConnection)).toBeGreaterThan(Math.max(...byConnection) / 2);
  });

  test("answers who comes when all is over", () => {
    const crowd = [...poisson(CAPACITY * 3, 1, 7)];
    const { refused } = simulate(BOUND, SERVER, crowd);
    expect(simulate(BOUND, SERVER, [...crowd, 60_000, 120_000]).refused).toBe(refused);
  });

  test("answers everybody again soon after", () => {
    const calm = [...poisson(CAPACITY / 2, 4, 3)].map((at) => 1_000 + at);
    const { admission, asked } = simulate(BOUND, SERVER, [...poisson(CAPACITY * 3, 1, 7), ...calm]);
    const { refused } = simulate(BOUND, SERVER, poisson(CAPACITY * 3, 1, 7));
    expect(Object.values(admission.refused).reduce((sum, each) => sum + each, 0) - refused).toBeLessThan(asked / 100);
  });
});

describe("a server that can answer all", () => {
  test.each([0.1, 0.5, 0.8])("refuses nobody at %d of what it can", (times) => {
    expect(under(times).refused).toBe(0);
  });

  test("refuses nobody for a pause, and only who waited for too long after a longer one", () => {
    const pauses = [90, 60, 90].map((forMs, n) => [500 + n * 1_000, forMs] as const);
    expect(under(0.3, BOUND, { ...SERVER, pauses }).refused).toBe(0);
    const long = under(0.3, BOUND, { ...SERVER, pauses: [[500, 300]] });
    expect(long.refused).toBeGreaterThan(0);
    expect(long.refused).toBeLessThan(CAPACITY * 0.3 * 0.35);
    expect(long.admission.refused.overload).toBe(0);
  });

  test("does not take what it did long before a Check for waiting of the Check", () => {
    // Nothing to do for seconds, then busy with something else, then nothing again.
    expect(simulate(BOUND, { ...SERVER, pauses: [[10, 2_000]] }, [1, 9, 5_000, 9_000]).refused).toBe(0);
  });
});

describe("Checks that wait for their records", () => {
  function standing() {
    let now = 0;
    let ends: (() => void)[] = [];
    const admission = createAdmission(
      { maxWaitMs: 100, maxInFlight: 2 },
      { now: () => now, idle: () => now, afterTurn: (ended) => void ends.push(ended) },
    );
    return {
      admission,
      /** What comes after so many milliseconds without anything to do. */
      admitAfter(ms: number) {
        now += ms;
        const taken = admission.admit();
        const due = ends;
        ends = [];
        for (const ended of due) ended();
        return taken;
      },
      began: () => admission.began(now),
      ended: () => admission.ended(now),
    };
  }

  test("are so many at most", () => {
    const { admission, admitAfter, began, ended } = standing();
    for (let n = 0; n < 2; n += 1) {
      expect(admitAfter(1)).toBe(true);
      began();
    }
    expect(admission.inFlight).toBe(2);
    expect(admitAfter(1)).toBe(false);
    ended();
    expect(admitAfter(1)).toBe(true);
    expect(admission.refused).toEqual({ waited: 0, overload: 0, "in-flight": 1, stalled: 0 });
  });

  test("let nobody join them where no record has been written for too long", () => {
    const { admission, admitAfter, began, ended } = standing();
    expect(admitAfter(1)).toBe(true);
    began();
    expect(admitAfter(90)).toBe(true);
    expect(admitAfter(20)).toBe(false);
    ended();
    expect(admitAfter(1_000)).toBe(true);
    expect(admission.refused.stalled).toBe(1);
  });
});

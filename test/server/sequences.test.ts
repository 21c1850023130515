import { beforeEach, describe, expect, it } from "vitest";
import { createSequences, type Sequences, type WorkerEvent } from "../../src/server/gateway/sequences.ts";

const A = "a".repeat(32);
let now = 0;
let told: WorkerEvent[] = [];
let sequences: Sequences;
beforeEach(() => {
  now = 1_000_000;
  told = [];
  sequences = createSequences(
    () => now,
    (event) => told.push(event),
  );
  sequences.told(A, 0);
});

/** An entry that comes and is recorded at once. */
function record(number: number, isIntermediate = false): string {
  const heard = sequences.heard(A, number, isIntermediate);
  if (heard === "new") sequences.settled(A, number);
  return heard;
}

/** What a poll a second later says. */
function poll(last: number): number {
  now += 1_000;
  return sequences.told(A, last);
}

describe("what is missing", () => {
  it("is nothing while everything numbered is on record, in whatever order it comes", () => {
    for (const number of [3, 1, 2, 5, 4]) record(number);
    expect(poll(5)).toBe(0);
    expect(poll(5)).toBe(0);
  });

  it("counts from the telling before the one that named it", () => {
    expect(poll(2)).toBe(1_000);
    record(1);
    expect(poll(2)).toBe(2_000);
    record(2);
    expect(poll(2)).toBe(0);
  });

  it("shows by what comes after it, before the worker tells how far it is", () => {
    record(7);
    now += 300;
    expect(sequences.told(A, 7)).toBe(300);
  });

  it("is not what waits for its record to be durable, until that is settled", () => {
    sequences.heard(A, 1, false);
    expect(poll(1)).toBe(1_000);
    sequences.settled(A, 1);
    expect(poll(1)).toBe(0);
  });

  it("is lost after ten seconds: counted and told once, with the numbers it lies between", () => {
    record(1);
    record(4);
    poll(6);
    for (let n = 0; n < 8; n += 1) poll(6);
    expect(told).toEqual([]);
    now += 2_500;
    sequences.review();
    expect(told).toEqual([{ event: "worker-gap", detail: { worker: A, from: 2, through: 6, lost: 4 } }]);
    sequences.review();
    expect(sequences.lost).toBe(4);
    expect(told).toHaveLength(1);
  });

  it("once lost, keeps the worker suspect until an entry of it comes again", () => {
    poll(3);
    now += 11_000;
    expect(poll(3)).toBe(Number.POSITIVE_INFINITY);
    expect(poll(3)).toBe(Number.POSITIVE_INFINITY);
    record(4);
    expect(poll(4)).toBe(0);
  });

  it("is told in one piece when a million are missing, and costs no more than one", () => {
    poll(1_000_000_000_000);
    now += 11_000;
    sequences.review();
    expect(sequences.lost).toBe(1_000_000_000_000);
  });

  it("is not lost because the worker has not told for long how far it is, while its entries come", () => {
    now += 60_000;
    record(2);
    sequences.review();
    expect(sequences.lost).toBe(0);
    now += 900;
    record(1);
    sequences.review();
    expect([sequences.lost, poll(2)]).toEqual([0, 0]);
    // But lost it is, without any telling, when nothing comes.
    record(5);
    for (let n = 0; n < 12; n += 1) {
      now += 1_000;
      record(6 + n);
      sequences.review();
    }
    expect(sequences.lost).toBe(2);
  });

  it("does not grow with the entries that come while one is missing", () => {
    for (let number = 2; number < 100_000; number += 1) record(number);
    expect(poll(99_999)).toBe(1_000);
    record(1);
    expect(poll(99_999)).toBe(0);
  });
});

describe("an entry", () => {
  it("of a request that goes on is recorded once, and told once how it ended", () => {
    expect(["new", "known", "known", "ended"]).toEqual([
      record(1, true),
      record(1, true),
      record(1, true),
      record(1, false),
    ]);
    expect(poll(1)).toBe(0);
  });

  it("that comes after it was counted as lost is recorded all the same", () => {
    poll(1);
    now += 11_000;
    sequences.review();
    expect(record(1)).toBe("new");
    expect(sequences.lost).toBe(1);
  });
});

describe("a worker", () => {
  it("that another server knew is told of, with where it stands here", () => {
    const other = "b".repeat(32);
    sequences.told(other, 41);
    expect(told).toEqual([{ event: "worker-seen", detail: { worker: other, after: 41 } }]);
    sequences.heard(other, 42, false);
    sequences.settled(other, 42);
    now += 1_000;
    expect(sequences.told(other, 42)).toBe(0);
  });

  it("that is heard before it polls begins with what is heard", () => {
    const other = "c".repeat(32);
    sequences.heard(other, 9, false);
    expect(told).toEqual([{ event: "worker-seen", detail: { worker: other, after: 8 } }]);
  });

  it("is forgotten ten minutes after it was last heard of, and what it still owed is counted before", () => {
    poll(5);
    now += 601_000;
    sequences.review();
    expect(sequences.workers).toBe(0);
    expect(sequences.lost).toBe(5);
  });
});

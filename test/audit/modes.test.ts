import { setTimeout as sleep } from "node:timers/promises";
import { describe, expect, it, vi } from "vitest";
import { BATCH_WINDOW, createBatchSink } from "../../src/audit/batch.ts";
import type { AuditMode, AuditTrail } from "../../src/audit/trail.ts";
import { DECIDED, requestPart, trailOver } from "./fixtures.ts";

/** A disk that can be held up and broken. */
function disk() {
  const written: string[] = [];
  const held: (() => void)[] = [];
  return {
    written,
    holding: false,
    broken: null as string | null,
    release() {
      this.holding = false;
      for (const go of held.splice(0)) go();
    },
    async append(bytes: Buffer) {
      if (this.holding) await new Promise<void>((resolve) => held.push(resolve));
      if (this.broken !== null) throw new Error(this.broken);
      written.push(...bytes.toString().trimEnd().split("\n"));
    },
    async close() {},
  };
}

async function trailOn(mode: AuditMode) {
  const target = disk();
  const told: (string | null)[] = [];
  const trail = await trailOver(
    mode,
    { disk: async (hooks) => createBatchSink(target, hooks) },
    { changed: (_sink, failure) => told.push(failure) },
  );
  return { target, told, trail };
}

/** Asks and remembers the answer: null until there is one. */
function ask(trail: AuditTrail, id = "x"): { answer: boolean | null } {
  const asked = { answer: null as boolean | null };
  trail.decision(DECIDED, requestPart({ id }), (recorded) => {
    asked.answer = recorded;
  });
  return asked;
}

const identity = ({ state }: AuditTrail) => state.taken - state.written - state.failed - state.pending;

describe("strict", () => {
  it("an answer waits for its durable record, and is refused when there is none", async () => {
    const { target, trail } = await trailOn("strict");
    target.holding = true;
    const first = ask(trail, "first");
    await sleep(30);
    expect([first.answer, target.written]).toEqual([null, []]);
    target.release();
    await trail.flush();
    expect(first.answer).toBe(true);
    expect(target.written.map((line) => JSON.parse(line).id)).toEqual(["first"]);
    target.broken = "disk on fire";
    const second = ask(trail, "second");
    await trail.flush();
    expect(second.answer).toBe(false);
    await trail.close();
  });
});

describe("batch", () => {
  it("at most 256 answers are ahead of their records; the next one waits", async () => {
    const { target, trail } = await trailOn("batch");
    target.holding = true;
    const asked = Array.from({ length: BATCH_WINDOW }, (_, n) => ask(trail, `${n}`));
    expect(BATCH_WINDOW).toBe(256);
    expect(asked.every(({ answer }) => answer === true)).toBe(true);
    const late = ask(trail, "late");
    await sleep(30);
    expect([late.answer, trail.state.pending, identity(trail)]).toEqual([null, 257, 0]);
    target.release();
    await trail.flush();
    expect([late.answer, trail.state.pending, trail.state.written]).toEqual([true, 0, 257]);
    await trail.close();
  });

  it("after a failure no answer goes ahead of its record until writing works again", async () => {
    const { target, told, trail } = await trailOn("batch");
    target.broken = "disk on fire";
    expect(ask(trail).answer).toBe(true);
    await trail.flush();
    const next = ask(trail);
    expect(next.answer).toBe(null);
    await trail.flush();
    expect([next.answer, told]).toEqual([false, ["disk on fire"]]);
    target.broken = null;
    const recovered = ask(trail);
    await trail.flush();
    expect([recovered.answer, told, ask(trail).answer]).toEqual([true, ["disk on fire", null], true]);
    await trail.close();
  });
});

describe("drop", () => {
  it("no answer ever waits; what is lost is counted", async () => {
    const { target, trail } = await trailOn("drop");
    target.broken = "disk on fire";
    for (let n = 0; n < 1_000; n += 1) expect(ask(trail).answer).toBe(true);
    await trail.flush();
    expect([trail.state.failed, identity(trail)]).toEqual([1_000, 0]);
    await trail.close();
  });
});

describe.each(["strict", "batch", "drop"] as const)("%s", (mode) => {
  it("recovers by itself, without a request, and the trail says how many records are missing", async () => {
    const { target, told, trail } = await trailOn(mode);
    target.broken = "disk on fire";
    for (let n = 0; n < 3; n += 1) ask(trail);
    await trail.flush();
    expect(told).toEqual(["disk on fire"]);
    target.broken = null;
    const deadline = Date.now() + 3_000;
    while (told.length < 2 && Date.now() < deadline) await sleep(20);
    expect(told).toEqual(["disk on fire", null]);
    await trail.flush();
    const time = "1970-01-01T00:00:00.000Z";
    expect(target.written.map((line) => JSON.parse(line))).toEqual([
      { time, event: "gap", lost: 3, failure: "disk on fire" },
      { time, event: "sink-recovered", seq: 4, sink: "disk", since: time, failure: "disk on fire" },
    ]);
    expect(trail.state).toEqual({ taken: 4, written: 1, failed: 3, tooSlow: 0, pending: 0, failure: null });
    await trail.close();
  });
});

it("a trail says each minute how many lines there are, and how many in all when it ends", async () => {
  vi.useFakeTimers();
  try {
    const { target, trail } = await trailOn("batch");
    for (let n = 0; n < 3; n += 1) ask(trail);
    await vi.advanceTimersByTimeAsync(125_000);
    await trail.close();
    const events = target.written.map((line) => JSON.parse(line)).filter(({ event }) => event !== undefined);
    expect(events).toMatchObject([
      { event: "checkpoint", taken: 3, written: 3, failed: 0, pending: 0 },
      { event: "checkpoint", taken: 4, written: 4 },
      { event: "stopped", taken: 5, written: 5, failed: 0, pending: 0 },
    ]);
  } finally {
    vi.useRealTimers();
  }
});

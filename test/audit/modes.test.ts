import { setTimeout as sleep } from "node:timers/promises";
import { describe, expect, it } from "vitest";
import { createBatchSink } from "../../src/audit/batch.ts";
import { type DecidedText, type RequestPart, renderDecided } from "../../src/audit/record.ts";
import { type AuditMode, type AuditTrail, BATCH_WINDOW, openTrail } from "../../src/audit/trail.ts";

const DECIDED: DecidedText = renderDecided({
  revision: "r",
  seat: "server",
  subject: { spiffeId: "s", namespace: null, serviceAccount: null },
  target: { host: "h", port: 80, protocol: "http" },
  effect: "allow",
  shadow: "allow",
  reason: "allowed-by-rule",
  rules: [],
  shadowRules: [],
  owner: null,
  ticket: null,
});

function request(id: string): RequestPart {
  return {
    timeMs: 0,
    id,
    cacheHit: false,
    requestId: null,
    traceId: null,
    gateway: null,
    latencyUs: 1,
    method: "GET",
    path: "/",
  };
}

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
  const trail = await openTrail({
    mode,
    open: async (hooks) => createBatchSink(target, hooks),
    now: () => 0,
    changed: (failure) => told.push(failure),
  });
  return { target, told, trail };
}

/** Asks and remembers the answer: null until there is one. */
function ask(trail: AuditTrail, id = "x"): { answer: boolean | null } {
  const asked = { answer: null as boolean | null };
  trail.decision(DECIDED, request(id), (recorded) => {
    asked.answer = recorded;
  });
  return asked;
}

const identity = ({ sink: { state } }: AuditTrail) => state.taken - state.written - state.failed - state.pending;

describe("strict", () => {
  it("an answer waits for its durable record, and is refused when there is none", async () => {
    const { target, trail } = await trailOn("strict");
    target.holding = true;
    const first = ask(trail, "first");
    await sleep(30);
    expect([first.answer, target.written]).toEqual([null, []]);
    target.release();
    await trail.sink.flush();
    expect(first.answer).toBe(true);
    expect(target.written.map((line) => JSON.parse(line).id)).toEqual(["first"]);
    target.broken = "disk on fire";
    const second = ask(trail, "second");
    await trail.sink.flush();
    expect(second.answer).toBe(false);
    await trail.sink.close();
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
    expect([late.answer, trail.sink.state.pending, identity(trail)]).toEqual([null, 257, 0]);
    target.release();
    await trail.sink.flush();
    expect([late.answer, trail.sink.state.pending, trail.sink.state.written]).toEqual([true, 0, 257]);
    await trail.sink.close();
  });

  it("after a failure no answer goes ahead of its record until writing works again", async () => {
    const { target, told, trail } = await trailOn("batch");
    target.broken = "disk on fire";
    expect(ask(trail).answer).toBe(true);
    await trail.sink.flush();
    const next = ask(trail);
    expect(next.answer).toBe(null);
    await trail.sink.flush();
    expect([next.answer, told]).toEqual([false, ["disk on fire"]]);
    target.broken = null;
    const recovered = ask(trail);
    await trail.sink.flush();
    expect([recovered.answer, told, ask(trail).answer]).toEqual([true, ["disk on fire", null], true]);
    await trail.sink.close();
  });
});

describe("drop", () => {
  it("no answer ever waits; what is lost is counted", async () => {
    const { target, trail } = await trailOn("drop");
    target.broken = "disk on fire";
    for (let n = 0; n < 1_000; n += 1) expect(ask(trail).answer).toBe(true);
    await trail.sink.flush();
    expect([trail.sink.state.failed, identity(trail)]).toEqual([1_000, 0]);
    await trail.sink.close();
  });
});

describe.each(["strict", "batch", "drop"] as const)("%s", (mode) => {
  it("recovers by itself, without a request, and the trail says how many records are missing", async () => {
    const { target, told, trail } = await trailOn(mode);
    target.broken = "disk on fire";
    for (let n = 0; n < 3; n += 1) ask(trail);
    await trail.sink.flush();
    expect(told).toEqual(["disk on fire"]);
    target.broken = null;
    const deadline = Date.now() + 3_000;
    while (told.length < 2 && Date.now() < deadline) await sleep(20);
    expect(told).toEqual(["disk on fire", null]);
    expect(target.written.map((line) => JSON.parse(line))).toEqual([
      { time: "1970-01-01T00:00:00.000Z", event: "gap", seq: 4, lost: 3, failure: "disk on fire" },
    ]);
    expect(trail.sink.state).toEqual({ taken: 3, written: 0, failed: 3, pending: 0, failure: null });
    await trail.sink.close();
  });
});

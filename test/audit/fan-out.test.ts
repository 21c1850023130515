import { describe, expect, it } from "vitest";
import { createBatchSink } from "../../src/audit/batch.ts";
import type { AuditSinkHooks } from "../../src/audit/sink.ts";
import type { AuditMode, AuditTrail } from "../../src/audit/trail.ts";
import { DECIDED, requestPart, trailOver } from "./fixtures.ts";

/** A destination that can be broken. */
function destination() {
  const lines: string[] = [];
  const self = {
    lines,
    broken: false,
    open: async (hooks: AuditSinkHooks) =>
      createBatchSink(
        {
          async append(bytes) {
            if (self.broken) throw new Error("gone");
            lines.push(...bytes.toString().trimEnd().split("\n"));
          },
          async close() {},
        },
        hooks,
      ),
  };
  return self;
}

function ask(trail: AuditTrail): Promise<boolean> {
  return new Promise((resolve) => trail.decision(DECIDED, requestPart(), resolve));
}

async function over(mode: AuditMode, require: "all" | "any") {
  const one = destination();
  const other = destination();
  const trail = await trailOver(mode, { one: one.open, other: other.open }, { require });
  return { one, other, trail };
}

const eventsOf = (lines: readonly string[]) => lines.map((line) => JSON.parse(line).event).filter(Boolean);

describe("several destinations", () => {
  it("each have every line, in order", async () => {
    const { one, other, trail } = await over("batch", "all");
    for (let n = 0; n < 300; n += 1) await ask(trail);
    await trail.close();
    expect(one.lines.map((line) => JSON.parse(line).seq)).toEqual(Array.from({ length: 301 }, (_, n) => n + 1));
    expect(other.lines).toEqual(one.lines);
  });

  it("all: nothing counts as durable that one of them does not have", async () => {
    const { one, other, trail } = await over("strict", "all");
    expect(await ask(trail)).toBe(true);
    other.broken = true;
    expect([await ask(trail), trail.state.failure]).toEqual([false, "gone"]);
    const { taken, written, failed, pending } = trail.state;
    expect(taken).toBe(written + failed + pending);
    // The one that works says so at once.
    await trail.flush();
    expect(eventsOf(one.lines)).toEqual(["sink-failed"]);
    other.broken = false;
    await trail.flush();
    expect(await ask(trail)).toBe(true);
    expect(eventsOf(other.lines)[0]).toBe("gap");
    await trail.close();
  });

  it("any: one is enough, and the trail fails only when all do", async () => {
    const { one, other, trail } = await over("strict", "any");
    other.broken = true;
    expect([await ask(trail), trail.state.failure]).toEqual([true, null]);
    one.broken = true;
    await ask(trail);
    expect([await ask(trail), trail.state.failure]).toEqual([false, "gone; gone"]);
    await trail.flush();
    const { taken, written, failed, pending } = trail.state;
    expect([taken, pending]).toEqual([written + failed, 0]);
    await trail.close();
  });

  it("are closed again when one of them cannot be opened", async () => {
    const one = destination();
    let closed = false;
    const opening = trailOver("batch", {
      async one(hooks) {
        const sink = await one.open(hooks);
        return {
          ...sink,
          async close() {
            closed = true;
            await sink.close();
          },
        };
      },
      async other() {
        throw new Error("no such place");
      },
    });
    await expect(opening).rejects.toThrow("no such place");
    expect(closed).toBe(true);
  });
});

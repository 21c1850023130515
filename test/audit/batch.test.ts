import { setImmediate as turn } from "node:timers/promises";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { BATCH_WINDOW, createBatchSink } from "../../src/audit/batch.ts";
import type { AuditSink } from "../../src/audit/sink.ts";

// No line waits for long enough to be written for its age.
beforeEach(() => {
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
});
afterEach(() => {
  vi.useRealTimers();
});

/** A sink without a disk: how many lines came in each write, during each of which so many more are put in. */
function sinkOf(during: number): { readonly sink: AuditSink; readonly writes: number[]; most(): number } {
  const writes: number[] = [];
  let most = 0;
  const sink = createBatchSink(
    {
      async append(bytes) {
        writes.push(bytes.toString().split("\n").length - 1);
        for (let n = 0; n < during; n += 1) sink.write("{}");
        most = Math.max(most, sink.state.pending);
        await turn();
      },
      async close() {},
    },
    { gap: () => "", changed() {}, warn() {} },
  );
  return { sink, writes, most: () => most };
}

describe("a batch", () => {
  it("is larger where few lines come during a write, so that fewer writes are made", async () => {
    const { sink, writes } = sinkOf(0);
    for (let n = 0; n < 128 + 2 * 224; n += 1) {
      sink.write("{}");
      await turn();
    }
    await sink.flush();
    expect(writes).toEqual([128, 224, 224]);
  });

  it.each([
    [10, 224],
    [40, 176],
    [60, 136],
    [100, 128],
  ])(
    "with %i lines during each write is of %i, and those on their way are within the window",
    async (during, lines) => {
      const { sink, writes, most } = sinkOf(during);
      while (writes.length < 20) {
        sink.write("{}");
        await turn();
      }
      expect(new Set(writes.slice(1))).toEqual(new Set([lines]));
      expect(most()).toBeLessThanOrEqual(BATCH_WINDOW);
      await turn();
    },
  );
});

import { expect, test } from "vitest";
import { createSharedPlaces } from "../../src/server/shared-places.ts";

const filled = (length: number, value: number): Uint8Array => new Uint8Array(length).fill(value);

test("what was put last stays as it is while the next is written", () => {
  const put = createSharedPlaces();
  let last = put(filled(100, 0));
  for (let i = 1; i < 20; i += 1) {
    const next = put(filled(100 + i, i));
    expect(last).toEqual(filled(99 + i, i - 1));
    last = next;
  }
});

test("places are used again: a thousand loads take no more memory than two", () => {
  const put = createSharedPlaces();
  const buffers = new Set(Array.from({ length: 1_000 }, (_, i) => put(filled(1_000 + (i % 7), i)).buffer));
  expect(buffers.size).toBe(2);
});

import { expect, test } from "vitest";
import { createIdSource, ID_LENGTH } from "../../src/server/decision-id.ts";

const UUID_V7 = /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;

test("ids are UUIDv7s of their instant", () => {
  const next = createIdSource();
  for (const instant of [0, 1, 1_700_000_000_000, 1_795_449_600_123, 2 ** 48 - 1]) {
    const id = next(instant);
    expect(id).toMatch(UUID_V7);
    expect(id).toHaveLength(ID_LENGTH);
    expect(Number.parseInt(id.slice(0, 8) + id.slice(9, 13), 16)).toBe(instant);
  }
});

test("never twice the same, and every random bit takes both values equally often", () => {
  const next = createIdSource();
  const ids = Array.from({ length: 20_000 }, () => next(1_700_000_000_000));
  expect(new Set(ids).size).toBe(ids.length);
  const ones = Array.from({ length: 128 }, () => 0);
  for (const id of ids) {
    const bits = BigInt(`0x${id.replaceAll("-", "")}`);
    for (let bit = 0; bit < 128; bit += 1) ones[bit] = (ones[bit] ?? 0) + Number((bits >> BigInt(bit)) & 1n);
  }
  const fixed = new Set([62, 63, 76, 77, 78, 79]);
  for (let bit = 0; bit < 80; bit += 1) {
    if (fixed.has(bit)) continue;
    expect(Math.abs((ones[bit] ?? 0) - ids.length / 2), `bit ${bit}`).toBeLessThan(700);
  }
});

test("a clock set back gives ids of the earlier instant", () => {
  const next = createIdSource();
  const [later, earlier] = [next(2_000), next(1_000)];
  expect(later > earlier).toBe(true);
});

import { expect, it } from "vitest";
import { PARTS, selectParts } from "./parts.ts";

const ALL = { parts: null, ways: null, rules: null };

it("selects everything where nothing is named, in the order of the page", () => {
  expect(selectParts(ALL)).toEqual(PARTS);
});

it("selects parts, ways and sizes, and no part of which nothing is left", () => {
  const parts = selectParts({ parts: ["upstream", "direct"], ways: ["none", "server-unix"], rules: ["10"] });
  if (typeof parts === "string") throw new Error(parts);
  expect(parts.map(({ name, stations }) => [name, stations.map(({ way, rules }) => `${way.id} ${rules}`)])).toEqual([
    ["direct", ["none 10", "server-unix 10"]],
  ]);
});

it.each([
  [{ ...ALL, parts: ["upstreams"] }, 'there is no part "upstreams"; known are direct, connections, upstream'],
  [{ ...ALL, ways: ["none", "rback"] }, 'there is no way "rback"; known are none, gateway, '],
  [{ ...ALL, rules: ["100"] }, 'there is no number of rules "100"; known are 10, 1000, 10000'],
  [{ ...ALL, parts: ["upstream"], ways: ["rbac"] }, "nothing is left to measure"],
])("refuses %j", (selection, reason) => {
  expect(selectParts(selection)).toContain(reason);
});

it("measures each way once at each size of a part, and each server beside its yardstick", () => {
  for (const { stations } of PARTS) {
    const keys = stations.map(({ way, rules }) => `${way.id} ${rules}`);
    expect(new Set(keys).size).toBe(keys.length);
  }
  expect(PARTS.map(({ stations }) => stations.length)).toEqual([26, 8, 5]);
});

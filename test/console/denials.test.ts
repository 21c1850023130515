import { expect, test } from "vitest";
import type { RecordedDecision } from "../../src/analyze/replay/recorded-decision.ts";
import { deniedDestinations, MINUTES } from "../../src/console/denials.ts";

const NOW = Date.parse("2026-11-23T12:00:00Z");

function denied(host: string, agoMs: number, changes: Partial<RecordedDecision> = {}): RecordedDecision {
  return {
    time: new Date(NOW - agoMs).toISOString(),
    revision: "sha256:aa",
    subject: { spiffeId: "spiffe://cluster.local/ns/shop/sa/web" },
    target: { host, port: 443, protocol: "tls", method: null, path: null },
    effect: "deny",
    shadow: "deny",
    reason: "unregistered-target",
    rules: [],
    shadowRules: [],
    ...changes,
  };
}

test("denied destinations are counted by the minute, the most denied first, and what passed is not", () => {
  const records = [
    denied("b.example", 1_000),
    denied("b.example", 61_000, { reason: "no-matching-rule" }),
    denied("a.example", 2_000),
    denied("b.example", MINUTES * 60_000 + 1_000),
    denied("c.example", 0, { effect: "allow" }),
    // A server's clock may be ahead of the browser's.
    denied("a.example", -5_000),
    denied("b.example", 59_000),
  ];
  const [first, second, ...others] = deniedDestinations(records, NOW);
  expect(others).toEqual([]);
  expect([first?.place, first?.count, first?.reasons]).toEqual([
    "b.example:443",
    4,
    ["no-matching-rule", "unregistered-target"],
  ]);
  expect(first?.minutes.slice(-2)).toEqual([1, 2]);
  expect(first?.minutes.reduce((sum, each) => sum + each, 0)).toBe(3);
  expect([second?.place, second?.count, second?.last]).toEqual(["a.example:443", 2, "2026-11-23T12:00:05.000Z"]);
  expect(second?.minutes.at(-1)).toBe(2);
});

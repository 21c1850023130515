import fc from "fast-check";
import { expect, test } from "vitest";
import type { CheckInput, Decision } from "../../src/pdp/decision.ts";
import { fillTemplate } from "../../src/server/answer-template.ts";
import { createRenderer, type Rendered } from "../../src/server/rendered.ts";
import { CONTRACT, decision } from "./harness.ts";

const INPUT: CheckInput = {
  kind: "http",
  principal: "p",
  host: "h",
  port: "80",
  method: "GET",
  path: "/",
  headers: [],
};
const ID = "01a208b9-c90c-717d-b1f6-16f0476a57c0";
const newRenderer = () => createRenderer({ encode: CONTRACT.encodeCheckResponse, counter: () => () => {} });

function content({ template, audit }: Rendered): unknown {
  return [fillTemplate(template, ID).toString("latin1"), audit];
}

const ids = fc.uniqueArray(fc.constantFrom("a/b/c", "a/b", "b/c", "payments/stripe/charge"), { maxLength: 2 });
const decisions: fc.Arbitrary<Decision> = fc
  .record({
    effect: fc.constantFrom("allow", "deny"),
    shadow: fc.constantFrom("allow", "deny"),
    reason: fc.constantFrom("allowed-by-rule", "denied-by-rule", "no-matching-rule", "fallback-report", "rule-expired"),
    rules: ids,
    shadowRules: ids,
    subject: fc.constantFrom(
      null,
      { spiffeId: "spiffe://a/ns/x/sa/y", namespace: "x", serviceAccount: "y" },
      { spiffeId: "spiffe://a/ns/x/sa/z", namespace: "x", serviceAccount: "z" },
    ),
    target: fc.constantFrom(null, { host: "a.b", port: 80 }, { host: "a.b", port: 8 }, { host: "a", port: 80 }),
  })
  .map((changes) =>
    decision({
      ...changes,
      note:
        changes.rules[0] === undefined
          ? null
          : { policy: `p ${changes.rules[0]}`, owner: "o", ticket: null, reason: null },
    }),
  );

test("a shared rendered decision is what rendering it afresh gives, whatever was rendered before", () => {
  const asked = fc.record({
    decided: decisions,
    kind: fc.constantFrom("http" as const, "tls" as const, "tcp" as const),
    host: fc.constantFrom("raw-1", "raw-2"),
    revision: fc.constantFrom("r1", "r2"),
  });
  fc.assert(
    fc.property(fc.array(asked, { minLength: 1, maxLength: 40 }), (questions) => {
      const renderer = newRenderer();
      for (const { decided, kind, host, revision } of questions) {
        const input = { ...INPUT, kind, host };
        expect(content(renderer.decision(decided, input, revision))).toEqual(
          content(newRenderer().decision(decided, input, revision)),
        );
      }
    }),
    { numRuns: 300 },
  );
});

test("requests that differ in path alone share one rendered decision", () => {
  const renderer = newRenderer();
  const one = renderer.decision(decision(), { ...INPUT, path: "/1" }, "r1");
  expect(renderer.decision(decision(), { ...INPUT, path: "/2" }, "r1")).toBe(one);
  expect(renderer.decision(decision(), INPUT, "r2")).not.toBe(one);
});

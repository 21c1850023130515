import { expect, it } from "vitest";
import { lint } from "../../src/analyze/lint/lint.ts";
import type { PathPattern, PolicySet, Rule } from "../../src/policy/model.ts";
import { shapeOf, syntheticSet } from "../bench/synthetic-set.ts";
import { NOW_MS } from "./load.ts";

const OPTIONS = { nowMs: NOW_MS, withinMs: 0, owners: null, observed: null };

function timed(set: PolicySet): { readonly ms: number; readonly codes: readonly string[] } {
  const start = performance.now();
  const { findings } = lint(set, [], OPTIONS);
  return { ms: performance.now() - start, codes: findings.map(({ code }) => code) };
}

/** Rules that all have the same workloads and service, and differ by path alone: each could cover each. */
function crowded(count: number): PolicySet {
  const set = syntheticSet(shapeOf(10));
  const [policy] = set.policies;
  const [rule] = policy?.rules ?? [];
  const [to] = rule?.to ?? [];
  if (policy === undefined || rule === undefined || to === undefined) throw new Error("the synthetic set has no rule");
  const rules = Array.from({ length: count }, (_, index): Rule => {
    const path: PathPattern = {
      ...{ kind: "template", text: `/api/${index}/{*}` },
      segments: [{ kind: "literal", text: "api" }, { kind: "literal", text: `${index}` }, { kind: "any" }],
    };
    return { ...rule, name: `r${index}`, notBefore: null, expires: null, ticket: "T", to: [{ ...to, paths: [path] }] };
  });
  return { ...set, policies: [{ ...policy, rules: [...rules, { ...rules[7], name: "zz" } as Rule] }] };
}

it("looks through 10,000 rules in a time that grows as they do, even when each could cover each", () => {
  timed(crowded(100));
  const spread = timed(syntheticSet(shapeOf(10_000)));
  const some = timed(crowded(1_000));
  const many = timed(crowded(10_000));
  process.stdout.write(
    `lint: ${spread.ms.toFixed(0)} ms for 10,000 rules, ${many.ms.toFixed(0)} ms when they differ by path alone (1,000: ${some.ms.toFixed(0)} ms)\n`,
  );
  expect(many.codes).toContain("duplicate-rule");
  // Comparing each with each took a hundred times as long for ten times as many.
  expect(many.ms).toBeLessThan(some.ms * 50 + 500);
}, 120_000);

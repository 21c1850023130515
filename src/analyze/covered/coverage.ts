import { locateItems } from "../../bundle/locate-items.ts";
import type { Engine } from "../../pdp/engine.ts";
import type { PolicySet } from "../../policy/model.ts";
import type { CaseResult } from "../decision-tests.ts";
import type { Question } from "../explain/explain.ts";
import { askedRequest } from "../request.ts";
import { pointsOf, type RulePoints } from "./points.ts";
import { touch } from "./touch.ts";

/** What the cases of a policy set touch of its rules, by the rules' ids. */
export type Coverage = readonly Pick<RulePoints, "id" | "policy" | "rule" | "points" | "whole">[];

/** How much is touched. */
export interface CoverageShare {
  readonly rules: { readonly all: number; readonly touched: number };
  /** Everything but the rules themselves. */
  readonly conditions: { readonly all: number; readonly touched: number };
  /** Of rules and conditions together, rounded down to a tenth; 100 when there are none. */
  readonly percent: number;
}

/**
 * Asks the engine each question, and what each condition of each rule came to in it. Takes time that grows with questions × rules.
 * @param engine with the bundle compiled from `set`
 */
export function measureCoverage(
  engine: Engine,
  set: PolicySet,
  bundle: Uint8Array,
  questions: readonly Question[],
): Coverage {
  const [own = ""] = set.gateway.trustDomains;
  const byRule = Map.groupBy(locateItems(set, bundle).items, ({ number }) => number);
  const rules = [...byRule.values()].map((items) => pointsOf(items, own)).filter((each) => each !== null);
  for (const { input, nowMs, upgrade } of questions) {
    const verdicts = engine.explain(input, nowMs);
    // Before that no rule is asked.
    if (verdicts.stage !== "rules") continue;
    for (const rule of rules) touch(rule, verdicts, upgrade !== null);
  }
  return rules;
}

/** What the cases ask; those that cannot be asked are left out. @param own the mesh's own trust domain */
export function questionsOf(results: readonly CaseResult[], own: string): readonly Question[] {
  return results.flatMap(({ test, case: each }) => {
    const asked = askedRequest(each, own);
    if (!asked.ok) return [];
    const { input } = asked.value;
    return [{ input, nowMs: test.now, upgrade: input.kind === "http" ? each.upgrade : null }];
  });
}

/** Counts what is touched. */
export function coverageOf(coverage: Coverage): CoverageShare {
  const rules = coverage.map(({ whole }) => whole);
  const conditions = coverage.flatMap(({ points, whole }) => points.filter((each) => each !== whole));
  const touched = (points: typeof rules): number => points.filter(({ cases }) => cases > 0).length;
  const all = rules.length + conditions.length;
  const percent = all === 0 ? 100 : Math.floor(((touched(rules) + touched(conditions)) / all) * 1000) / 10;
  return {
    rules: { all: rules.length, touched: touched(rules) },
    conditions: { all: conditions.length, touched: touched(conditions) },
    percent,
  };
}

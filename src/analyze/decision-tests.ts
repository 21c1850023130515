import type { CheckInput, Decision } from "../pdp/decision.ts";
import type { DecisionCase, DecisionExpectation, DecisionTest } from "../policy/model.ts";
import { askedRequest } from "./request.ts";

/** Anything that decides: the engine, a cache before it, a server behind a wire. */
export type Decide = (input: CheckInput, nowMs: number) => Pick<Decision, "effect" | "reason" | "rules" | "shadow">;

/** The part of a decision that a test can expect. */
type Outcome = Pick<Decision, "effect" | "reason" | "rules" | "shadow">;

/** One case that ran. */
export interface CaseResult {
  readonly test: DecisionTest;
  readonly case: DecisionCase;
  readonly passed: boolean;
  /** Null when the request could not be asked; `problem` then says why. */
  readonly actual: Outcome | null;
  readonly problem: string | null;
  /** What differs, in the order effect, reason, rules, shadow. */
  readonly differs: readonly (keyof Outcome)[];
}

/**
 * Runs the cases of `tests` in order. `filter` keeps those whose `namespace/test/case` holds that text (any case).
 * Never throws for what a test says.
 */
export function runDecisionTests(
  tests: readonly DecisionTest[],
  decide: Decide,
  ownTrustDomain: string,
  filter: string | null,
): CaseResult[] {
  const results: CaseResult[] = [];
  for (const test of tests) {
    for (const each of test.cases) {
      if (filter !== null && !caseId(test, each).toLowerCase().includes(filter.toLowerCase())) continue;
      results.push(runCase(test, each, decide, ownTrustDomain));
    }
  }
  return results;
}

/** `test/case`, with the namespace before it when the test lies in one. */
export function caseId(test: DecisionTest, each: DecisionCase): string {
  const local = `${test.name}/${each.name}`;
  return test.scope === "" ? local : `${test.scope}/${local}`;
}

function runCase(test: DecisionTest, each: DecisionCase, decide: Decide, ownTrustDomain: string): CaseResult {
  const asked = askedRequest(each, ownTrustDomain);
  if (!asked.ok) {
    return { test, case: each, passed: false, actual: null, problem: asked.message, differs: [] };
  }
  const { effect, reason, rules, shadow } = decide(asked.value.input, test.now);
  const actual = { effect, reason, rules, shadow };
  const differs = differences(each.expect, actual);
  return { test, case: each, passed: differs.length === 0, actual, problem: null, differs };
}

/** The fields in which an outcome is not what was expected; a field that the expectation leaves out never differs. */
export function differences(expected: DecisionExpectation, actual: Outcome): (keyof Outcome)[] {
  const found: (keyof Outcome)[] = [];
  if (expected.effect !== null && expected.effect !== actual.effect) found.push("effect");
  if (expected.reason !== null && expected.reason !== actual.reason) found.push("reason");
  if (expected.rules !== null && !sameRules(expected.rules, actual.rules)) found.push("rules");
  if (expected.shadow !== null && expected.shadow !== actual.shadow) found.push("shadow");
  return found;
}

function sameRules(expected: readonly string[], actual: readonly string[]): boolean {
  const sorted = [...expected].sort();
  return sorted.length === actual.length && [...actual].sort().every((rule, index) => rule === sorted[index]);
}

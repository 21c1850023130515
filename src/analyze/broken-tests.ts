import type { DecisionTest } from "../policy/model.ts";
import { caseId, type Decide, runDecisionTests } from "./decision-tests.ts";

/** Ids of the cases that came out before a change and do not after it. */
export function brokenTests(
  tests: readonly DecisionTest[],
  before: Decide,
  after: Decide,
  ownTrustDomain: string,
): readonly string[] {
  const failing = (decide: Decide): string[] =>
    runDecisionTests(tests, decide, ownTrustDomain, null)
      .filter(({ passed }) => !passed)
      .map((each) => caseId(each.test, each.case));
  const known = new Set(failing(before));
  return failing(after).filter((each) => !known.has(each));
}

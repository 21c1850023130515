import * as fc from "fast-check";
import { expect, test } from "vitest";
import { REASONS } from "../../src/bundle/reason.ts";
import { decide } from "../oracle/decide.ts";
import { readWorld } from "../oracle/documents.ts";
import { aim, aimsOf } from "./aim.ts";
import { budgetFor, runProperty } from "./budget.ts";
import { describeDisagreement, engineVerdict, sameVerdict } from "./compare.ts";
import { engineFor } from "./pipeline.ts";
import { realise } from "./realise.ts";
import { requestDraft } from "./request-draft.ts";
import { setDraft } from "./set-draft.ts";

/** Reasons that are only given after the rules have been looked at. */
const RULE_REASONS = [
  "denied-by-rule",
  "allowed-by-rule",
  "rule-expired",
  "no-matching-rule",
  "fallback-report",
  "fallback-allow",
];

const budget = budgetFor(1000);

test("engine and oracle agree on every field of 200,000 decisions", { timeout: budget.timeoutMs }, () => {
  const seen = new Map<string, number>();
  const property = fc.property(
    setDraft,
    fc.array(requestDraft, { minLength: 200, maxLength: 200 }),
    (draft, requests) => {
      const set = realise(draft);
      const aims = aimsOf(set);
      const world = readWorld(set.documents, set.invalidNamespaces);
      const engine = engineFor(set);
      for (const request of requests) {
        const question = aim(request, aims);
        const expected = decide(world, question.request, question.nowMs);
        if (!sameVerdict(engineVerdict(engine, question), expected))
          throw new Error(describeDisagreement(set, question));
        seen.set(expected.reason, (seen.get(expected.reason) ?? 0) + 1);
      }
    },
  );
  runProperty(property, budget);

  const total = [...seen.values()].reduce((sum, count) => sum + count, 0);
  const atRules = RULE_REASONS.reduce((sum, reason) => sum + (seen.get(reason) ?? 0), 0);
  process.stdout.write(
    `${total} decisions compared (seed ${budget.parameters.seed}), ${((100 * atRules) / total).toFixed(1)} % reached the rules\n`,
  );
  expect([...seen.keys()].sort()).toEqual([...REASONS].sort());
  expect(atRules / total).toBeGreaterThan(0.3);
  if (budget.parameters.interruptAfterTimeLimit === undefined) expect(total).toBeGreaterThanOrEqual(200_000);
});

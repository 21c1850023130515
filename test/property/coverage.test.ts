import * as fc from "fast-check";
import { expect, test } from "vitest";
import { coverageOf, measureCoverage } from "../../src/analyze/covered/coverage.ts";
import type { CoveragePoint } from "../../src/analyze/covered/points.ts";
import { compileBundle } from "../../src/bundle/compile.ts";
import { createEngine } from "../../src/pdp/engine.ts";
import { readEngineModule } from "../../src/pdp/engine-module.ts";
import { type PolicySet, type Rule, type RuleTarget, ruleId } from "../../src/policy/model.ts";
import { upgradeOf } from "../oracle/conditions.ts";
import { aim, aimsOf } from "./aim.ts";
import { budgetFor, runProperty } from "./budget.ts";
import { build, formatFiles, toFiles } from "./pipeline.ts";
import { realise } from "./realise.ts";
import { requestDraft } from "./request-draft.ts";
import { setDraft } from "./set-draft.ts";

const engineModule = readEngineModule();
const budget = budgetFor(25);
const requests = fc.array(requestDraft, { minLength: 80, maxLength: 80 });

type Without = (rule: Rule) => Rule;

/** The same rule without one condition of its only target. */
function aimless(change: (target: RuleTarget) => Partial<RuleTarget>): Without {
  return (rule) => ({ ...rule, to: (rule.to ?? []).map((target) => ({ ...target, ...change(target) })) });
}

const WITHOUT: Partial<Record<CoveragePoint["kind"], (index: number) => Without>> = {
  window: () => (rule) => ({ ...rule, notBefore: null, expires: null }),
  when: () => (rule) => ({ ...rule, when: null }),
  upgrades: () => (rule) => ({ ...rule, upgrades: [] }),
  ports: () => aimless(() => ({ ports: null })),
  methods: () => aimless(() => ({ methods: null })),
  paths: () => aimless(() => ({ paths: null })),
  headers: (index) => aimless(({ headers }) => ({ headers: headers.filter((_, at) => at !== index) })),
};

/** The set with one rule changed. */
function withRule(set: PolicySet, id: string, change: Without): PolicySet {
  const policies = set.policies.map((policy) => ({
    ...policy,
    rules: policy.rules.map((rule) => (ruleId(policy, rule) === id ? change(rule) : rule)),
  }));
  return { ...set, policies };
}

test("a condition is touched as often as its rule matches more without it", { timeout: budget.timeoutMs }, () => {
  let touched = 0;
  let skipped = 0;
  const property = fc.property(setDraft, requests, (draft, drafts) => {
    const generated = realise(draft);
    const { set, bundle, engine } = build(generated);
    const questions = drafts.map((each) => {
      const { request: input, nowMs } = aim(each, aimsOf(generated));
      return { input, nowMs, upgrade: upgradeOf(input) };
    });
    const coverage = measureCoverage(engine, set, bundle, questions);
    const share = coverageOf(coverage);
    expect(share.rules.all).toBe(set.policies.reduce((sum, { rules }) => sum + rules.length, 0));
    for (const { id, rule, whole, points } of coverage) {
      // By the engine's own answers: whatever determines one has matched, unless it is named because it has expired.
      const determined = questions.filter(({ input, nowMs }) => {
        const { rules, shadowRules } = engine.decide(input, nowMs);
        return (rule.expires === null || nowMs < rule.expires) && [...rules, ...shadowRules].includes(id);
      }).length;
      if (whole.cases < determined) throw new Error(`${id} matches ${whole.cases}, determines ${determined}`);
      const headers = points.filter(({ kind }) => kind === "headers");
      for (const point of points) {
        const without = WITHOUT[point.kind]?.(headers.indexOf(point));
        if (without === undefined || (rule.to ?? []).length > 1) continue;
        // Most are not touched: a few of those are enough.
        if (point.cases === 0 && ++skipped % 5 !== 0) continue;
        const open = withRule(set, id, without);
        const bytes = compileBundle(open);
        const again = measureCoverage(createEngine(engineModule, bytes), open, bytes, questions);
        const more = (again.find((each) => each.id === id)?.whole.cases ?? 0) - whole.cases;
        if (Math.abs(more) !== point.cases) {
          const what = `${id}: ${point.text} is touched ${point.cases} times; without it ${more} more match`;
          throw new Error(`${what}\n${formatFiles(toFiles(generated.documents))}`);
        }
        touched += point.cases;
      }
    }
  });
  runProperty(property, budget);
  expect(touched).toBeGreaterThan(100);
});

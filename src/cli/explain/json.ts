import { type CheckAnswer, checkJson } from "../../analyze/answer.ts";
import type { ExplainedRule, Explanation } from "../../analyze/explain/explain.ts";
import type { Step } from "../../analyze/explain/steps.ts";

/** The stable machine-readable form, documented in docs/cli.md: all of `check`, with the steps and the rules. */
export function explanationJson(
  answer: CheckAnswer,
  { steps, rules, omitted }: Explanation,
  nowMs: number,
): Record<string, unknown> {
  return {
    ...checkJson(answer),
    schema: "sallyport.dev/explain/v1",
    now: new Date(nowMs).toISOString(),
    steps: steps.map(stepJson),
    rules: rules.map(ruleJson),
    omitted,
  };
}

function stepJson({ name, state, text, at }: Step): Record<string, unknown> {
  return { name, state, text, file: at?.file ?? null, line: at?.line ?? null };
}

function ruleJson({ id, policy, rule, decides, conditions, misses, targets }: ExplainedRule): Record<string, unknown> {
  return {
    id,
    file: rule.at.file,
    line: rule.at.line,
    effect: rule.effect,
    mode: policy.mode,
    owner: policy.owner,
    ticket: rule.ticket,
    reason: rule.reason,
    decides,
    misses: misses.length,
    targets,
    conditions,
  };
}

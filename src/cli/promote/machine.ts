import type { JudgedPolicy, JudgedReportRule } from "../../analyze/promote/promote.ts";
import { tallyJson } from "../tally-json.ts";

/** One policy in the stable machine-readable form, documented in docs/cli.md. */
export function judgedJson({ id, policy, ready, rules }: JudgedPolicy): object {
  return { policy: id, file: policy.at.file, line: policy.at.line, ready, rules: rules.map(ruleJson) };
}

function ruleJson({ id, rule, because, matched, surprises }: JudgedReportRule): object {
  const expires = rule.expires === null ? null : new Date(rule.expires).toISOString();
  return {
    ...{ rule: id, effect: rule.effect, ready: because.length === 0, because, expires },
    ...{ matched: matched === null ? null : tallyJson(matched), surprises },
  };
}

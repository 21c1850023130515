import type { EgressPolicy, PolicySet, Rule } from "../policy/model.ts";
import { ruleId } from "../policy/model.ts";

/** A rule with the policy that holds it. */
export interface NamedRule {
  readonly policy: EgressPolicy;
  readonly rule: Rule;
}

/** All rules of a set by their ids (`namespace/policy/rule`). */
export function indexRules(set: PolicySet): ReadonlyMap<string, NamedRule> {
  const rules = new Map<string, NamedRule>();
  for (const policy of set.policies) {
    for (const rule of policy.rules) rules.set(ruleId(policy, rule), { policy, rule });
  }
  return rules;
}

/** `file:line` of a rule, or null when the set does not hold it. */
export function rulePlace(rules: ReadonlyMap<string, NamedRule>, id: string): string | null {
  const found = rules.get(id);
  return found === undefined ? null : `${found.rule.at.file}:${found.rule.at.line}`;
}

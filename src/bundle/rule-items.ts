import type { HostPattern, PolicySet, RuleTarget, SubjectSelector } from "../policy/model.ts";
import { ruleId } from "../policy/model.ts";
import type { NumberedRule } from "./bundle-parts.ts";
import { LAYOUT } from "./layout.ts";
import type { SubjectIndex } from "./subject-index.ts";
import type { TargetIndex } from "./target-index.ts";

/** One item of a rule: one of the workloads it is for, and one of the targets it aims at. */
export interface RuleItem {
  /** The rule's place among all rules. */
  readonly number: number;
  readonly of: NumberedRule;
  /** Number of the namespace that the policy speaks for; 0 = every workload. */
  readonly scope: number;
  /** Null = everyone. */
  readonly selector: SubjectSelector | null;
  readonly subject: number;
  /** Null = every target. */
  readonly to: RuleTarget | null;
  /** The one of `to.hosts` that this item is; null for services and for every target. */
  readonly pattern: HostPattern | null;
  readonly target: number;
  /** The class of the target: SUBJECT_HAS_…. */
  readonly kind: number;
}

/** All rules of a set by id in code-unit order: a rule's place is its number in the bundle. */
export function numberRules(set: PolicySet): readonly NumberedRule[] {
  const rules = set.policies.flatMap((policy, policyNumber) =>
    policy.rules.map((rule) => ({ id: ruleId(policy, rule), policy, policyNumber, rule })),
  );
  return rules.sort((a, b) => (a.id < b.id ? -1 : a.id > b.id ? 1 : 0));
}

/**
 * Tells of the items of all rules in the order in which a bundle lists them. Ids of subjects and targets are given as they are met:
 * the same set and new indexes give the same ids.
 */
export function eachRuleItem(
  rules: readonly NumberedRule[],
  subjects: SubjectIndex,
  targets: TargetIndex,
  tell: (item: RuleItem) => void,
): void {
  for (let number = 0; number < rules.length; number++) {
    const of = rules[number] as NumberedRule;
    const { policy, rule } = of;
    const scope = policy.scope === "" ? 0 : subjects.namespaceNumber(policy.scope);
    const from: readonly (SubjectSelector | null)[] = rule.from ?? EVERYONE;
    for (const selector of from) {
      const subject = subjects.subject(selector, policy.scope);
      const item = (to: RuleTarget | null, pattern: HostPattern | null, target: number, kind: number): void =>
        tell({ number, of, scope, selector, subject, to, pattern, target, kind });
      if (rule.to === null) item(null, null, LAYOUT.TARGET_ANY, LAYOUT.SUBJECT_HAS_ANY);
      for (const to of rule.to ?? []) {
        if (to.service !== null) item(to, null, targets.serviceTarget(to.service), LAYOUT.SUBJECT_HAS_SERVICE);
        for (const host of to.hosts ?? []) item(to, host, targets.hostTarget(host), LAYOUT.SUBJECT_HAS_HOST);
      }
    }
  }
}

const EVERYONE: readonly null[] = [null];

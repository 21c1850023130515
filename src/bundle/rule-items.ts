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
 * The items of all rules in the order in which a bundle lists them. Ids of subjects and targets are given as they are met:
 * the same set and new indexes give the same ids.
 */
export function* ruleItems(
  rules: readonly NumberedRule[],
  subjects: SubjectIndex,
  targets: TargetIndex,
): Generator<RuleItem> {
  for (const [number, of] of rules.entries()) {
    const { policy, rule } = of;
    const scope = policy.scope === "" ? 0 : subjects.namespaceNumber(policy.scope);
    const from: readonly (SubjectSelector | null)[] = rule.from ?? [null];
    for (const selector of from) {
      const subject = subjects.subject(selector, policy.scope);
      for (const aim of aims(rule.to, targets)) yield { number, of, scope, selector, subject, ...aim };
    }
  }
}

type Aim = Pick<RuleItem, "to" | "pattern" | "target" | "kind">;

function* aims(targets: readonly RuleTarget[] | null, index: TargetIndex): Generator<Aim> {
  if (targets === null) {
    yield { to: null, pattern: null, target: LAYOUT.TARGET_ANY, kind: LAYOUT.SUBJECT_HAS_ANY };
    return;
  }
  for (const to of targets) {
    if (to.service !== null) {
      const target = index.serviceTarget(to.service);
      yield { to, pattern: null, target, kind: LAYOUT.SUBJECT_HAS_SERVICE };
    }
    for (const pattern of to.hosts ?? []) {
      yield { to, pattern, target: index.hostTarget(pattern), kind: LAYOUT.SUBJECT_HAS_HOST };
    }
  }
}

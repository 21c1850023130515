import type { EgressPolicy, PolicySet, Rule } from "../../policy/model.ts";
import { ruleId } from "../../policy/model.ts";
import { createOwners } from "./owners.ts";
import { type Aim, type AimsOf, createAimsOf } from "./rule-aims.ts";
import { createSubjectCover, type SubjectCover, type SubjectKey } from "./subject-cover.ts";

/** A rule with what it means, as the lint compares it. */
export interface KnownRule {
  readonly id: string;
  readonly policy: EgressPolicy;
  readonly rule: Rule;
  /** The keys of its selectors, for finding it. */
  readonly keys: readonly SubjectKey[];
  /** Whom it is for, in parts that are covered one by one: for each, the keys of what covers it. */
  readonly subjects: readonly (readonly SubjectKey[])[];
  readonly aims: readonly Aim[];
}

/** All rules of a set, by id in code-unit order. */
export function knownRules(set: PolicySet): readonly KnownRule[] {
  const cover = createSubjectCover(set);
  const aimsOf = createAimsOf(set, createOwners(set));
  return set.policies
    .flatMap((policy) => policy.rules.map((rule) => known(policy, rule, cover, aimsOf)))
    .sort((a, b) => (a.id < b.id ? -1 : 1));
}

function known(policy: EgressPolicy, rule: Rule, cover: SubjectCover, aimsOf: AimsOf): KnownRule {
  const from = rule.from ?? [null];
  return {
    id: ruleId(policy, rule),
    policy,
    rule,
    keys: from.map(cover.key),
    subjects: from.flatMap((selector) => cover.parts(selector, policy.scope)),
    aims: aimsOf(rule, policy.scope),
  };
}

import {
  type EgressPolicy,
  type PolicySet,
  type Rule,
  type RuleTarget,
  ruleId,
  type SubjectSelector,
} from "../policy/model.ts";
import { type NumberedRule, ruleFlags } from "./bundle-parts.ts";
import { LAYOUT } from "./layout.ts";
import { createMatcherTable } from "./matcher-table.ts";
import { createPairIndex } from "./pair-index.ts";
import { createStringTable } from "./string-table.ts";
import { createSubjectIndex, type SubjectIndex } from "./subject-index.ts";
import { createTargetIndex, type TargetIndex } from "./target-index.ts";
import { writeBundle } from "./write-bundle.ts";

/**
 * Compiles a validated policy set into the bytes the engine reads. Deterministic: equal sets give equal bytes.
 * Time and size grow linearly with rules × selectors × targets as written (groups are not expanded).
 * @see src/bundle/FORMAT.md
 */
export function compileBundle(set: PolicySet): Uint8Array {
  const strings = createStringTable(LAYOUT.HEADER_SIZE);
  const subjects = createSubjectIndex(set);
  const targets = createTargetIndex(set.services, subjects.namespaceNumber);
  const matchers = createMatcherTable(strings);
  const pairs = createPairIndex();
  const rules = numberRules(set);
  const classes: number[] = [];

  rules.forEach(({ policy, rule }, number) => {
    const item = { rule: number, flags: ruleFlags(policy, rule), scope: scopeNumber(policy, subjects) };
    const from: readonly (SubjectSelector | null)[] = rule.from ?? [null];
    for (const selector of from) {
      const subject = subjects.subject(selector);
      for (const { target, kind, conditions } of aims(rule, targets)) {
        classes[subject] = (classes[subject] ?? 0) | kind;
        pairs.add(subject, target, { ...item, matcher: conditions === null ? -1 : matchers.matcher(conditions) });
      }
    }
  });
  const subjectClasses = Uint32Array.from({ length: subjects.count() }, (_, id) => classes[id] ?? 0);
  return writeBundle({ set, strings, subjects, targets, matchers, pairs, rules, subjectClasses });
}

function numberRules(set: PolicySet): readonly NumberedRule[] {
  const rules = set.policies.flatMap((policy, policyNumber) =>
    policy.rules.map((rule) => ({ id: ruleId(policy, rule), policy, policyNumber, rule })),
  );
  return rules.sort((a, b) => (a.id < b.id ? -1 : a.id > b.id ? 1 : 0));
}

function scopeNumber(policy: EgressPolicy, subjects: SubjectIndex): number {
  return policy.scope === "" ? 0 : subjects.namespaceNumber(policy.scope);
}

interface Aim {
  readonly target: number;
  readonly kind: number;
  readonly conditions: RuleTarget | null;
}

function* aims(rule: Rule, targets: TargetIndex): Generator<Aim> {
  if (rule.to === null) {
    yield { target: LAYOUT.TARGET_ANY, kind: LAYOUT.SUBJECT_HAS_ANY, conditions: null };
    return;
  }
  for (const to of rule.to) {
    if (to.service !== null) {
      yield { target: targets.serviceTarget(to.service), kind: LAYOUT.SUBJECT_HAS_SERVICE, conditions: to };
    }
    for (const pattern of to.hosts ?? []) {
      yield { target: targets.hostTarget(pattern), kind: LAYOUT.SUBJECT_HAS_HOST, conditions: to };
    }
  }
}

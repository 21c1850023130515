import type { PolicySet } from "../policy/model.ts";
import { ruleFlags } from "./bundle-parts.ts";
import { LAYOUT } from "./layout.ts";
import { createMatcherTable } from "./matcher-table.ts";
import { numbersOf } from "./numbers.ts";
import { createPairIndex } from "./pair-index.ts";
import { eachRuleItem, numberRules } from "./rule-items.ts";
import { createStringTable } from "./string-table.ts";
import { createSubjectIndex } from "./subject-index.ts";
import { createTargetIndex } from "./target-index.ts";
import { createWhenTable } from "./when-table.ts";
import { writeBundle } from "./write-bundle.ts";

/**
 * Compiles a validated policy set into the bytes the engine reads. Deterministic: equal sets give equal bytes.
 * Time and size grow linearly with rules × selectors × targets as written (groups are not expanded).
 * @see src/bundle/FORMAT.md
 */
export function compileBundle(set: PolicySet): Uint8Array {
  const hasWhen = set.policies.some(({ rules }) => rules.some(({ when }) => when !== null));
  const strings = createStringTable(hasWhen ? LAYOUT.HEADER_SIZE_WHEN : LAYOUT.HEADER_SIZE);
  const subjects = createSubjectIndex(set);
  const targets = createTargetIndex(set.services, subjects.namespaceNumber);
  const matchers = createMatcherTable(strings);
  const pairs = createPairIndex();
  const rules = numberRules(set);
  const whens = createWhenTable(strings, matchers);
  const flags = numbersOf(rules, ({ policy, rule }) => ruleFlags(policy, rule, whens.number(rule.when)));
  const classes: number[] = [];
  eachRuleItem(rules, subjects, targets, ({ number, scope, subject, target, kind, to }) => {
    const matcher = to === null ? -1 : matchers.matcher(to);
    classes[subject] = (classes[subject] ?? 0) | kind;
    pairs.add(subject, target, { rule: number, flags: flags[number] ?? 0, scope, matcher });
  });
  const subjectClasses = Uint32Array.from({ length: subjects.count() }, (_, id) => classes[id] ?? 0);
  return writeBundle({
    set,
    strings,
    subjects,
    targets,
    matchers,
    pairs,
    rules,
    whens,
    ruleFlags: flags,
    subjectClasses,
  });
}

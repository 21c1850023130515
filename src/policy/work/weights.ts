import type { HeaderCondition, PathPattern, Rule, RuleTarget, WhenExpression } from "../model.ts";

/**
 * What the engine does for a part of a rule, in units of about ten nanoseconds: rather too much than too little. `test/attack/hostile.test.ts` holds
 * them against the engine.
 */
export const SUBJECT_WORK = 2;
/** Looking up which rules a subject and a target share. */
export const LOOKUP_WORK = 1;

/** One target of a rule for one of its workloads. `to` null = every target. */
export function itemWork(rule: Rule, to: RuleTarget | null): number {
  const own = 1 + rule.upgrades.length / 4 + (rule.when === null ? 0 : expressionWork(rule.when));
  return to === null ? own : own + conditionsWork(to);
}

/** What asking for it takes, and what it can cost, which is rather too much. */
function expressionWork({ cost }: WhenExpression): number {
  return 30 + cost / 15;
}

function conditionsWork({ ports, methods, paths, headers }: RuleTarget): number {
  return (ports?.length ?? 0) / 16 + (methods?.length ?? 0) / 4 + sum(paths ?? [], pathWork) + sum(headers, headerWork);
}

function pathWork(pattern: PathPattern): number {
  const segments = pattern.kind === "template" ? pattern.segments.length : 0;
  return 1 + segments / 8 + pattern.text.length / 100;
}

function headerWork({ values }: HeaderCondition): number {
  return 1 + sum(values, (value) => 0.5 + value.length / 100);
}

function sum<T>(list: readonly T[], of: (each: T) => number): number {
  return list.reduce((total, each) => total + of(each), 0);
}

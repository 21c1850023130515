import type { NumberedRule } from "../../bundle/bundle-parts.ts";
import type { LocatedItem } from "../../bundle/locate-items.ts";
import type { Binding, ItemVerdict, Verdict, Verdicts } from "../../pdp/verdicts.ts";
import type { Effect } from "../../policy/model.ts";
import type { ExpressionOutcome } from "../../policy/when/evaluate-expression.ts";

/** What a condition is about. The report mode of a rule's policy counts as one that does not hold. */
export type ConditionName =
  | "mode"
  | "window"
  | "upgrade"
  | "methods"
  | "paths"
  | "headers"
  | "when"
  | "ports"
  | "target"
  | "from";

/** What the engine says of the conditions of one rule: of its workloads, and of the nearest of its targets. */
export interface JudgedRule {
  readonly of: NumberedRule;
  /** The policy speaks for the workload and one of the rule's selectors means it. */
  readonly from: boolean;
  /** The item whose target comes nearest. */
  readonly nearest: LocatedItem;
  /** How many targets the rule has, each host counted. */
  readonly targets: number;
  readonly verdict: ItemVerdict;
  /** By the place of each header condition. */
  readonly headers: readonly Verdict[];
  /** What the rule's expression comes to; null = it has none. */
  readonly when: ExpressionOutcome | null;
  /** How far it is from matching: the weights of what does not hold. 0 = it matches, unless its policy only reports. */
  readonly distance: number;
}

/** What a miss weighs: what is about another workload or another thing weighs more than how and when it is asked for. */
export const WEIGHTS: Readonly<Record<ConditionName, number>> = {
  ...{ mode: 1, window: 1, upgrade: 1, methods: 1, headers: 1, when: 1, ports: 1 },
  ...{ paths: 3, target: 4, from: 4 },
};

/** What a target weighs of which only the host is the one asked for. */
export const HOST_ONLY = 1;

/** Rules further off speak of something else. */
export const NEAR = 5;

/** In doubt counts as false for an allow and as true for a deny. */
export function countsAs(verdict: Verdict, effect: Effect): boolean {
  return verdict === "true" || (verdict === "doubt" && effect === "deny");
}

/** Judges every rule, in the order of their ids. @param items in the order of the bundle */
export function judgeRules(items: readonly LocatedItem[], verdicts: Verdicts): JudgedRule[] {
  const rules: JudgedRule[] = [];
  for (let start = 0; start < items.length; ) {
    let end = start + 1;
    while (items[end]?.number === items[start]?.number) end++;
    rules.push(judgeRule(items.slice(start, end), verdicts));
    start = end;
  }
  return rules;
}

type JudgedTarget = Pick<JudgedRule, "nearest" | "verdict" | "headers" | "distance">;

/** Workloads and targets of a rule are judged apart: its items are every pair of the two. */
function judgeRule(items: readonly LocatedItem[], verdicts: Verdicts): JudgedRule {
  const targets = items.filter(({ selector }) => selector === items[0]?.selector);
  const best = targets
    .map((each) => judgeTarget(each, verdicts))
    .reduce((least, each) => (each.distance < least.distance ? each : least));
  const { verdict } = best;
  const { of } = best.nearest;
  const from = verdict.scope && [...new Set(items.map(({ subject }) => subject))].some(verdicts.holds);
  const when = verdicts.when(best.nearest.offset);
  const others = weigh({
    when: when === null || countsAs(when.truth, of.rule.effect),
    ...{ from, window: verdict.window === "within", upgrade: verdict.upgrade, mode: of.policy.mode === "enforce" },
  });
  return { ...best, of, from, when, targets: targets.length, distance: best.distance + others };
}

function judgeTarget(nearest: LocatedItem, verdicts: Verdicts): JudgedTarget {
  const { effect } = nearest.of.rule;
  const verdict = verdicts.item(nearest);
  const headers = (nearest.to?.headers ?? []).map((_, index) => verdicts.header(nearest.offset, index));
  const missedHeaders = headers.filter((each) => !countsAs(each, effect)).length;
  const distance = weigh({
    ports: verdict.port,
    ...{ methods: countsAs(verdict.methods, effect), paths: countsAs(verdict.paths, effect) },
  });
  const target = verdict.binding === "bound" ? 0 : meansHost(verdict.binding, nearest) ? HOST_ONLY : WEIGHTS.target;
  return { nearest, verdict, headers, distance: distance + missedHeaders * WEIGHTS.headers + target };
}

/** Whether an item that is not bound names the host all the same. */
function meansHost(binding: Binding, { pattern }: LocatedItem): boolean {
  return binding !== "elsewhere" && (binding !== "unowned" || pattern !== null);
}

function weigh(holds: Partial<Readonly<Record<ConditionName, boolean>>>): number {
  return (Object.keys(WEIGHTS) as ConditionName[])
    .filter((name) => holds[name] === false)
    .reduce((sum, name) => sum + WEIGHTS[name], 0);
}

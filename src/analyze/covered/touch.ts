import type { ItemVerdict, Verdicts } from "../../pdp/verdicts.ts";
import type { Effect } from "../../policy/model.ts";
import { countsAs } from "../explain/judge-rules.ts";
import type { CoveragePoint, RulePoints, TargetPoints } from "./points.ts";

/** Counts what of a rule one case touches. @param upgrades the case asks for an upgrade */
export function touch(points: RulePoints, verdicts: Verdicts, upgrades: boolean): void {
  const { rule, targets, workloads } = points;
  const judged = targets.map((each) => ({ target: each, ...judge(each, verdicts, rule.effect) }));
  const verdict = judged[0]?.verdict;
  if (verdict === undefined) return;
  const held = workloads.filter(({ subject }) => verdicts.holds(subject));
  const from = verdict.scope && held.length > 0;
  const when = verdicts.when(targets[0]?.items[0]?.offset ?? 0);
  const ofRule: readonly (readonly [boolean, CoveragePoint | null])[] = [
    [from, points.from],
    [verdict.window === "within", points.window],
    [when === null || countsAs(when.truth, rule.effect), points.when],
  ];
  const missed = ofRule.filter(([holds]) => !holds).map(([, point]) => point);
  const { upgrade } = verdict;
  const matching = judged.filter(({ matches }) => matches);
  const isAimedAt = matching.length > 0;
  if (missed.length === 0 && upgrade && isAimedAt) {
    const touched = [points.whole, ...held.map(({ point }) => point), ...matching.map(({ target }) => target.whole)];
    for (const point of [...touched, upgrades ? points.upgrades : null]) count(point);
  } else if (missed.length === 0 && upgrade) {
    for (const { only } of judged) count(only);
  } else if (isAimedAt && upgrade && missed.length === 1) count(missed[0] ?? null);
}

interface JudgedTarget {
  /** Of one of its items; what it says of the rule is the same in all. */
  readonly verdict: ItemVerdict | undefined;
  readonly matches: boolean;
  /** The one condition for which it does not match. */
  readonly only: CoveragePoint | null;
}

function judge(target: TargetPoints, verdicts: Verdicts, effect: Effect): JudgedTarget {
  const { items, ports, methods, paths, headers } = target;
  let last: ItemVerdict | undefined;
  for (const item of items) {
    const verdict = verdicts.item(item);
    last = verdict;
    if (verdict.binding !== "bound") continue;
    const conditions: readonly (readonly [boolean, CoveragePoint | null])[] = [
      [verdict.port, ports],
      [countsAs(verdict.methods, effect), methods],
      [countsAs(verdict.paths, effect), paths],
      ...headers.map((each, index) => [countsAs(verdicts.header(item.offset, index), effect), each] as const),
    ];
    const missed = conditions.filter(([holds]) => !holds).map(([, point]) => point);
    const [only = null] = missed;
    // Whatever pattern the host matches, the conditions are the same.
    return { verdict, matches: missed.length === 0, only: missed.length === 1 ? only : null };
  }
  return { verdict: last, matches: false, only: null };
}

function count(point: CoveragePoint | null): void {
  if (point !== null) point.cases += 1;
}

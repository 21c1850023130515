import type { LocatedItem } from "../../bundle/locate-items.ts";
import {
  type EgressPolicy,
  type Rule,
  type RuleTarget,
  readsRequest,
  type SubjectSelector,
} from "../../policy/model.ts";
import { listText, selectorText } from "../explain/condition-text.ts";
import type { ConditionName } from "../explain/judge-rules.ts";
import { scopedName } from "../scoped-name.ts";

/**
 * Something of a rule that a case can touch: the rule itself, one of several workloads or targets, or a condition. The first
 * three are touched by a case that the rule matches by them; a condition by one that the rule would match but for it, so that
 * somebody would notice if it went. `upgrades` opens instead of closing: a case touches it that upgrades and passes by the rule.
 */
export interface CoveragePoint {
  readonly kind:
    | "rule"
    | "workload"
    | "to"
    | "from"
    | "window"
    | "when"
    | "upgrades"
    | "ports"
    | "methods"
    | "paths"
    | "headers";
  /** As the policy has it, in short. */
  readonly text: string;
  /** How many cases touch it. */
  cases: number;
}

/** A `to` of a rule, with the items of the bundle that it is and the points of its conditions. */
export interface TargetPoints {
  readonly items: readonly LocatedItem[];
  readonly whole: CoveragePoint | null;
  readonly ports: CoveragePoint | null;
  readonly methods: CoveragePoint | null;
  readonly paths: CoveragePoint | null;
  readonly headers: readonly CoveragePoint[];
}

/** A rule with everything of it that a case can touch. */
export interface RulePoints {
  readonly id: string;
  readonly policy: EgressPolicy;
  readonly rule: Rule;
  readonly points: readonly CoveragePoint[];
  readonly whole: CoveragePoint;
  readonly from: CoveragePoint | null;
  readonly window: CoveragePoint | null;
  readonly when: CoveragePoint | null;
  readonly upgrades: CoveragePoint | null;
  readonly workloads: readonly { readonly subject: number; readonly point: CoveragePoint | null }[];
  readonly targets: readonly TargetPoints[];
}

/** The points of one rule, none of them touched yet. @param items all of the rule, in the order of the bundle */
export function pointsOf(items: readonly LocatedItem[], own: string): RulePoints | null {
  const [first] = items;
  if (first === undefined) return null;
  const { id, policy, rule } = first.of;
  const points: CoveragePoint[] = [];
  const add = (kind: CoveragePoint["kind"], text: string): CoveragePoint => {
    const point = { kind, text, cases: 0 };
    points.push(point);
    return point;
  };
  const whole = add("rule", rule.effect);
  const selectors = (rule.from ?? []).map((each) => selectorText(each, own));
  const from = rule.from === null ? null : add("from", `from ${listText(selectors)}`);
  const subjects = new Map<SubjectSelector | null, number>(items.map(({ selector, subject }) => [selector, subject]));
  const workloads = [...subjects].map(([selector, subject]) => ({
    subject,
    point: selector === null || subjects.size === 1 ? null : add("workload", `from ${selectorText(selector, own)}`),
  }));
  const isBounded = rule.notBefore !== null || rule.expires !== null;
  const window = isBounded ? add("window", windowText(rule)) : null;
  const when = rule.when === null ? null : add("when", `when ${rule.when.text}`);
  const upgrades = rule.upgrades.length === 0 ? null : add("upgrades", `upgrades ${listText(rule.upgrades)}`);
  // Every selector has the same targets.
  const aimed = items.filter(({ selector }) => selector === first.selector);
  const byTarget = Map.groupBy(aimed, ({ to }) => to);
  const targets = [...byTarget].map(([to, its]) =>
    targetPoints(to, its, { rule, isOneOfSeveral: byTarget.size > 1 }, add),
  );
  return { id, policy, rule, points, whole, from, window, when, upgrades, workloads, targets };
}

function targetPoints(
  to: RuleTarget | null,
  items: readonly LocatedItem[],
  { rule, isOneOfSeveral }: { readonly rule: Rule; readonly isOneOfSeveral: boolean },
  add: (kind: (ConditionName & CoveragePoint["kind"]) | "to", text: string) => CoveragePoint,
): TargetPoints {
  if (to === null) return { items, whole: null, ports: null, methods: null, paths: null, headers: [] };
  const name = to.service === null ? `hosts ${listText(to.hosts ?? [])}` : `service ${scopedName(to.service)}`;
  const of = isOneOfSeveral ? ` of ${name}` : "";
  // On a port where the service speaks something else they are in doubt, so that an allow does not match there anyway.
  const readsHttp = rule.when !== null && readsRequest(rule.when.reads);
  const isHttp = readsHttp || to.methods !== null || to.paths !== null || to.headers.length > 0;
  return {
    items,
    whole: isOneOfSeveral ? add("to", `to ${name}`) : null,
    ports:
      to.ports === null || (isHttp && rule.effect === "allow")
        ? null
        : add("ports", `ports ${listText(to.ports)}${of}`),
    methods: to.methods === null ? null : add("methods", `methods ${listText(to.methods)}${of}`),
    paths: to.paths === null ? null : add("paths", `paths ${listText(to.paths.map(({ text }) => text))}${of}`),
    headers: to.headers.map(({ name: header, values }) => add("headers", `header ${header} ${listText(values)}${of}`)),
  };
}

function windowText({ notBefore, expires }: Rule): string {
  const instant = (ms: number): string => new Date(ms).toISOString().replace(".000Z", "Z");
  const parts = [
    notBefore === null ? null : `notBefore ${instant(notBefore)}`,
    expires === null ? null : `expires ${instant(expires)}`,
  ];
  return parts.filter((each) => each !== null).join(", ");
}

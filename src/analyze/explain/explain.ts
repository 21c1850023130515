import { type LocatedSet, locateItems } from "../../bundle/locate-items.ts";
import type { Decision } from "../../pdp/decision.ts";
import type { Engine } from "../../pdp/engine.ts";
import type { EgressPolicy, PolicySet, Rule } from "../../policy/model.ts";
import { type Asked, type Condition, conditionsOf, portsElsewhere } from "./conditions.ts";
import { HOST_ONLY, type JudgedRule, judgeRules, NEAR, WEIGHTS } from "./judge-rules.ts";
import { registeredPorts } from "./registered-ports.ts";
import { type Step, stepsOf } from "./steps.ts";

/** A rule's part in a decision. */
export interface ExplainedRule {
  readonly id: string;
  readonly policy: EgressPolicy;
  readonly rule: Rule;
  /** It determined the answer. */
  readonly decides: boolean;
  /** All conditions it has, of its nearest target. Those that do not hold are its misses. */
  readonly conditions: readonly Condition[];
  readonly misses: readonly Condition[];
  /** How many targets the rule has, each host counted. */
  readonly targets: number;
}

/** The walk of one decision. */
export interface Explanation {
  readonly decision: Decision;
  readonly steps: readonly Step[];
  /** Those that decide first, then the others by how near they came; empty when no rule could be asked. */
  readonly rules: readonly ExplainedRule[];
  /** How many more rules there are. */
  readonly omitted: number;
}

/** A question about a decision. */
export type Question = Pick<Asked, "input" | "nowMs" | "upgrade">;

/** Explains decisions of one set. `most` = the most rules to tell of; null = a few, and none that is about something else. */
export type Explain = (question: Question, most: number | null) => Explanation;

/** The most near misses that are told of unless asked otherwise. */
const FEW = 10;

/** @param engine with the bundle compiled from `set` */
export function createExplain(engine: Engine, set: PolicySet, bundle: Uint8Array): Explain {
  const located = locateItems(set, bundle);
  return (question, most) => explain(engine, set, located, question, most);
}

function explain(
  engine: Engine,
  set: PolicySet,
  located: LocatedSet,
  question: Question,
  most: number | null,
): Explanation {
  const verdicts = engine.explain(question.input, question.nowMs);
  const { decision, stage } = verdicts;
  const judged = stage === "refused" ? [] : judgeRules(located.items, verdicts);
  const fallbackGroups = set.groups.filter(
    ({ fallback, scope, name }) =>
      fallback !== null && fallback === verdicts.fallback && verdicts.holds(located.groupSubject({ scope, name })),
  );
  // Asks the engine anew: everything else has been read by now.
  const elsewhere = otherPorts(engine, set, question, decision);
  const asked: Asked = { ...question, decision, ownDomain: set.gateway.trustDomains[0] ?? "", elsewhere };
  const rules = chosen(judged, asked, most).map((each) => explained(each, asked));
  const steps = stepsOf({ set, verdicts, asked, fallbackGroups });
  return { decision, steps, rules, omitted: judged.length - rules.length };
}

function otherPorts(engine: Engine, set: PolicySet, { input, nowMs }: Question, { reason, target }: Decision) {
  if (reason !== "unregistered-target" || target === null) return [];
  return registeredPorts(engine, set, input.principal, target.host, nowMs);
}

/** What a rule of the effect that the answer has already is further off than the others: it could not change the answer. */
const IDLE = 2;

/** Those that decide, then by how near they are, then by id. */
function chosen(judged: readonly JudgedRule[], asked: Asked, most: number | null): readonly JudgedRule[] {
  const { rules, effect } = asked.decision;
  const deciding = new Set(rules);
  const far = ({ distance, nearest, of }: JudgedRule): number => {
    const hostOnly = portsElsewhere(nearest, asked.elsewhere).length > 0;
    return distance - (hostOnly ? WEIGHTS.target - HOST_ONLY : 0) + (of.rule.effect === effect ? IDLE : 0);
  };
  const sorted = judged
    .map((each) => ({ each, rank: deciding.has(each.of.id) ? -1 : far(each) }))
    .sort((a, b) => a.rank - b.rank || a.each.nearest.number - b.each.nearest.number);
  const shown =
    most === null ? sorted.filter(({ rank }, at) => rank <= NEAR && at < rules.length + FEW) : sorted.slice(0, most);
  return shown.map(({ each }) => each);
}

function explained(judged: JudgedRule, asked: Asked): ExplainedRule {
  const { of, targets } = judged;
  const conditions = conditionsOf(judged, asked);
  const misses = conditions.filter(({ holds }) => !holds);
  const decides = asked.decision.rules.includes(of.id);
  return { id: of.id, policy: of.policy, rule: of.rule, decides, conditions, misses, targets };
}

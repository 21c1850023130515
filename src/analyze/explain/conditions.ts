import type { LocatedItem } from "../../bundle/locate-items.ts";
import type { CheckInput, Decision } from "../../pdp/decision.ts";
import type { Verdict } from "../../pdp/verdicts.ts";
import { scopedName } from "../scoped-name.ts";
import { bindingText, headerText, listText, memberText, selectorText, whenText, windowText } from "./condition-text.ts";
import { type ConditionName, countsAs, type JudgedRule } from "./judge-rules.ts";
import type { RegisteredPort } from "./registered-ports.ts";

/** One condition of a rule in one decision. */
export interface Condition {
  readonly name: ConditionName;
  readonly verdict: Verdict;
  /** Whether it counts as held: in doubt it does for a deny, and does not for an allow. */
  readonly holds: boolean;
  /** One phrase: what was asked against what the rule says. */
  readonly text: string;
}

/** What was asked. */
export interface Asked {
  readonly input: CheckInput;
  readonly nowMs: number;
  readonly decision: Pick<Decision, "effect" | "rules" | "subject" | "target" | "service">;
  /** The protocol of the upgrade that the request asks for; null = none. For the text only: the engine reads the headers. */
  readonly upgrade: string | null;
  /** The mesh's own trust domain. */
  readonly ownDomain: string;
  /** On which ports the host is registered for the workload, when nobody registers it on the one asked for. */
  readonly elsewhere: readonly RegisteredPort[];
}

/** The ports on which an item's service has the host. */
export function portsElsewhere({ to }: LocatedItem, elsewhere: readonly RegisteredPort[]): readonly RegisteredPort[] {
  const service = to?.service ?? null;
  return service === null ? [] : elsewhere.filter((each) => each.service === scopedName(service));
}

/** The conditions that a rule has, with what each came to. The report mode of its policy is told as one of them. */
export function conditionsOf(judged: JudgedRule, asked: Asked): Condition[] {
  return [
    ...ruleConditions(judged, asked),
    ...whenCondition(judged, asked),
    ...targetConditions(judged, asked),
    ...fromCondition(judged, asked),
  ];
}

function ruleConditions({ of, verdict }: JudgedRule, { nowMs, upgrade }: Asked): Condition[] {
  const { policy, rule } = of;
  const conditions: Condition[] = [];
  if (policy.mode === "report")
    conditions.push(made("mode", false, "its policy is in report mode: recorded, changes nothing"));
  if (rule.notBefore !== null || rule.expires !== null) {
    const text = windowText(verdict.window, nowMs, rule.notBefore, rule.expires);
    conditions.push(made("window", verdict.window === "within", text));
  }
  if (upgrade !== null && rule.effect === "allow") {
    const named =
      rule.upgrades.length === 0
        ? "but the rule names none"
        : `${verdict.upgrade ? "" : "not "}in ${listText(rule.upgrades)}`;
    conditions.push(made("upgrade", verdict.upgrade, `upgrade ${upgrade} ${named}`));
  }
  return conditions;
}

function whenCondition({ of, when }: JudgedRule, { input, nowMs }: Asked): Condition[] {
  const { rule } = of;
  if (rule.when === null || when === null) return [];
  const text = whenText(rule.when, when, { input, nowMs });
  return [{ name: "when", verdict: when.truth, holds: countsAs(when.truth, rule.effect), text }];
}

function targetConditions({ of, nearest, verdict, headers }: JudgedRule, asked: Asked): Condition[] {
  const { to, pattern } = nearest;
  const { input, decision } = asked;
  if (to === null) return [];
  const { effect } = of.rule;
  const { host, port } = decision.target ?? { host: input.host, port: 0 };
  const conditions: Condition[] = [];
  const add = (name: ConditionName, each: Verdict, text: string): void => {
    conditions.push({ name, verdict: each, holds: countsAs(each, effect), text });
  };
  if (to.methods !== null)
    add("methods", verdict.methods, memberText("method", input.method, verdict.methods, to.methods));
  if (to.paths !== null) {
    const patterns = to.paths.map(({ text }) => text);
    add("paths", verdict.paths, memberText("path", withoutQuery(input.path), verdict.paths, patterns));
  }
  for (const [index, condition] of to.headers.entries()) {
    const given = input.headers.filter(([name]) => name === condition.name).map(([, value]) => value);
    const each = headers[index] ?? "false";
    add("headers", each, headerText(condition, each, given));
  }
  if (to.ports !== null)
    add(
      "ports",
      verdict.port ? "true" : "false",
      memberText("port", `${port}`, verdict.port ? "true" : "false", to.ports),
    );
  const place = `${host}:${port}`;
  const elsewhere = portsElsewhere(nearest, asked.elsewhere).map((each) => `${each.port} ${each.protocol}`);
  const words = { host, place, service: decision.service, elsewhere };
  const text = bindingText(verdict.binding, words, { service: to.service, pattern });
  conditions.push(made("target", verdict.binding === "bound", text));
  return conditions;
}

function fromCondition({ of, from, verdict }: JudgedRule, { input, decision, ownDomain }: Asked): Condition[] {
  const { policy, rule } = of;
  const { namespace = null, serviceAccount = null, spiffeId = input.principal } = decision.subject ?? {};
  const who = namespace === null ? spiffeId : `${namespace}/${serviceAccount}`;
  if (!verdict.scope) return [made("from", false, `a policy of namespace ${policy.scope} does not speak for ${who}`)];
  if (rule.from === null) return [];
  return [
    made(
      "from",
      from,
      `${who} ${from ? "" : "not "}in ${listText(rule.from.map((each) => selectorText(each, ownDomain)))}`,
    ),
  ];
}

function made(name: ConditionName, holds: boolean, text: string): Condition {
  return { name, verdict: holds ? "true" : "false", holds, text };
}

function withoutQuery(path: string): string {
  return path.split("?", 1)[0] ?? path;
}

import { askedRequest } from "../analyze/request.ts";
import { spanText } from "../analyze/span.ts";
import { type EgressPolicy, type Rule, ruleId } from "../policy/model.ts";
import { valueAt } from "../policy/schema-at.ts";
import type { Decider } from "./decider.ts";
import { code, placeText } from "./markdown.ts";
import { type Names, scopeOf } from "./names.ts";
import type { Place } from "./place.ts";
import { sampleRequests } from "./sample-requests.ts";

/** What comes now of some requests that a rule speaks of, whatever decides them. */
export function ruleHover(place: Place, index: number, names: Names, decider: Decider): string | null {
  const policy = valueAt(place.value, ["metadata", "name"]);
  const name = valueAt(place.value, ["spec", "rules", index, "name"]);
  if (typeof policy !== "string" || typeof name !== "string") return null;
  const id = ruleId({ scope: scopeOf(names, place.namespace), name: policy }, { name });
  const { set, isOutdated, nowMs } = decider;
  const found = set.policies.find(
    (each) => `${each.scope}/${each.name}` === `${scopeOf(names, place.namespace)}/${policy}`,
  );
  const rule = found?.rules.find((each) => each.name === name);
  if (found === undefined || rule === undefined) return `${code(id)} is not in the newest valid policies`;
  const lines = [
    `**${rule.effect}** ${code(id)}, ${found.mode === "report" ? "only reported: it changes nothing" : "enforced"}`,
    "",
    `- owner ${code(found.owner)}${rule.ticket === null ? "" : `, ${code(rule.ticket)}`}`,
    ...windowLine(rule, nowMs),
    ...(rule.to === null ? ["- for every target"] : outcomes(id, found, rule, decider)),
    ...(isOutdated ? ["", "*by the policies before their present errors*"] : []),
  ];
  return lines.join("\n");
}

function windowLine({ notBefore, expires }: Rule, nowMs: number): string[] {
  if (notBefore !== null && nowMs < notBefore) return [`- begins in ${spanText(notBefore - nowMs)}`];
  if (expires === null) return [];
  return [
    nowMs < expires ? `- ends in ${spanText(expires - nowMs)}` : `- **expired** ${spanText(nowMs - expires)} ago`,
  ];
}

function outcomes(id: string, policy: EgressPolicy, rule: Rule, decider: Decider): string[] {
  const { set, engine, nowMs } = decider;
  const samples = sampleRequests(engine, set, { policy, rule }, nowMs);
  const lines = samples.flatMap((sample) => {
    const asked = askedRequest(sample, set.gateway.trustDomains[0] ?? "");
    if (!asked.ok) return [];
    const decision = engine.decide(asked.value.input, nowMs);
    const others = decision.rules.filter((each) => each !== id);
    const by = others.length === 0 ? "" : ` by ${others.map((each) => ruleText(each, decider)).join(", ")}`;
    const verdict = `**${decision.effect.toUpperCase()}** ${decision.reason}`;
    return [`- ${code(sample.from)} ${code(sample.to)}: ${verdict}${by}`];
  });
  return lines.length === 0 ? ["- no request that it speaks of is registered"] : lines;
}

function ruleText(id: string, { set }: Decider): string {
  for (const policy of set.policies) {
    const rule = policy.rules.find((each) => ruleId(policy, each) === id);
    if (rule !== undefined) return `${code(id)} ${placeText(rule.at)}`;
  }
  return code(id);
}

import { differences } from "../analyze/decision-tests.ts";
import type { ExplainedRule } from "../analyze/explain/explain.ts";
import { askedRequest } from "../analyze/request.ts";
import { caseFrom } from "../policy/build-tests.ts";
import { parseInstant } from "../policy/instant.ts";
import type { DecisionCase, SourcePosition } from "../policy/model.ts";
import { decisionTest } from "../policy/schema/decision-test.ts";
import { valueAt } from "../policy/schema-at.ts";
import type { Decider } from "./decider.ts";
import { code, placeText } from "./markdown.ts";
import type { Place } from "./place.ts";

/** The most near misses that are told of. */
const FEW = 3;
const NOWHERE: SourcePosition = { file: "", line: 1, column: 1 };

/** What comes of a case as it is written now, at the time that its document names. */
export function caseHover({ value }: Place, index: number, decider: Decider): string | null {
  const written = caseAt(value, index);
  if (written === null) return null;
  const { set, explain, isOutdated } = decider;
  const [own = ""] = set.gateway.trustDomains;
  const asked = askedRequest(written.each, own);
  if (!asked.ok) return `cannot be asked: ${asked.message}`;
  const { input, note } = asked.value;
  const upgrade = input.kind === "http" ? written.each.upgrade : null;
  const { decision, steps, rules } = explain({ input, nowMs: written.nowMs, upgrade }, null);
  const decided = steps.find(({ state }) => state === "decided");
  const differs = differences(written.each.expect, decision);
  const lines = [
    `**${decision.effect.toUpperCase()}** ${decision.reason}${differs.length === 0 ? ", as expected" : ""}`,
    "",
    ...differs.map((field) => `- **not as expected**: ${field}`),
    ...(decided === undefined ? [] : [`- ${decided.name}: ${code(decided.text)}`]),
    ...rules.filter(({ decides }) => decides).map((each) => `- by ${ruleText(each)}`),
    ...(decision.shadow === decision.effect ? [] : [`- shadow: ${decision.shadow}`]),
    ...(note === null ? [] : [`- ${note}`]),
    ...rules
      .filter(({ decides, misses }) => !decides && misses.length > 0)
      .slice(0, FEW)
      .map((each) => `- near miss ${ruleText(each)}: ${each.misses.map(({ text }) => code(text)).join("; ")}`),
    ...(isOutdated ? ["", "*by the policies before their present errors*"] : []),
  ];
  return lines.join("\n");
}

function ruleText({ id, rule }: ExplainedRule): string {
  return `${rule.effect} ${code(id)} ${placeText(rule.at)}`;
}

/** The case at `index` when all of the document but other cases is right. */
function caseAt(value: unknown, index: number): { readonly each: DecisionCase; readonly nowMs: number } | null {
  const now = valueAt(value, ["spec", "now"]);
  const instant = typeof now === "string" ? parseInstant(now) : null;
  if (instant === null || !instant.ok) return null;
  const alone = {
    ...{ apiVersion: "sallyport.dev/v1alpha1", kind: "DecisionTest", metadata: { name: "hover" } },
    spec: { now, cases: [valueAt(value, ["spec", "cases", index])] },
  };
  const parsed = decisionTest.safeParse(alone);
  const [spec] = parsed.success ? parsed.data.spec.cases : [];
  if (spec === undefined) return null;
  return { each: caseFrom(spec, NOWHERE), nowMs: instant.value };
}

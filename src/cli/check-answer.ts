import type { AnsweredRule, CheckAnswer } from "../analyze/answer.ts";
import { nextStep } from "../analyze/next-step.ts";
import { colors, printLine } from "./output.ts";

/** Prints an answer for people. */
export function printAnswer(answer: CheckAnswer): void {
  const verdict = answer.effect === "allow" ? colors.green("ALLOW") : colors.red("DENY");
  printLine(`${verdict}  ${answer.reason}`);
  field("who", answer.subject ?? answer.from);
  field("what", answer.to);
  field("target", answer.target);
  field("service", answer.service);
  for (const rule of answer.rules) printRule(rule);
  if (answer.shadow !== null && answer.shadow !== answer.effect) {
    const by = answer.shadowRules?.length ? ` by ${answer.shadowRules.join(", ")}` : "";
    field("shadow", `${answer.shadow}${by} once every staged rule is enforced and every fallback is deny`);
  }
  if (answer.validUntil !== null) field("until", new Date(answer.validUntil).toISOString());
  if (answer.enforced !== null && answer.enforced.by !== "workload") field("mesh", answer.enforced.explanation);
  field("note", answer.note);
  field("next", nextStep(answer.reason, answer.namespace));
}

function printRule(rule: AnsweredRule): void {
  const place = rule.file === null ? "" : `  ${colors.dim(`${rule.file}:${rule.line}`)}`;
  field("rule", `${rule.id}${place}`);
  const about = [rule.owner === null ? null : `owner ${rule.owner}`, rule.ticket, rule.reason];
  const known = about.filter((each) => each !== null);
  if (known.length > 0) field("", known.join(" · "));
}

function field(name: string, value: string | null): void {
  if (value !== null) printLine(`  ${colors.dim(name.padEnd(8))} ${value}`);
}

import type { CheckAnswer } from "../../analyze/answer.ts";
import type { ExplainedRule, Explanation } from "../../analyze/explain/explain.ts";
import type { Step } from "../../analyze/explain/steps.ts";
import type { SourcePosition } from "../../policy/model.ts";
import { printAnswer } from "../check-answer.ts";
import { colors, count, printLine } from "../output.ts";

/** Prints the walk of a decision for people. */
export function printExplanation(answer: CheckAnswer, explanation: Explanation): void {
  printAnswer({ ...answer, rules: [] });
  printLine();
  for (const [index, step] of explanation.steps.entries()) printStep(step, index);
  const [deciding, others] = [true, false].map((decides) =>
    explanation.rules.filter((each) => each.decides === decides),
  );
  printRules("decided by", deciding ?? []);
  printRules("near misses", others ?? []);
  if (explanation.omitted > 0) {
    printLine(`\n${count(explanation.omitted, "more rule")}: --rules 0 tells of all`);
  }
}

function printStep({ name, state, text, at }: Step, index: number): void {
  const number = `${index + 1}`.padStart(3);
  if (state === "not reached") {
    printLine(colors.dim(`${number} ${name.padEnd(9)} not reached`));
    return;
  }
  const mark = state === "decided" ? colors.bold(name.padEnd(9)) : name.padEnd(9);
  printLine(`${number} ${mark} ${text}${place(at)}`);
}

function printRules(title: string, rules: readonly ExplainedRule[]): void {
  if (rules.length === 0) return;
  printLine(`\n${title}`);
  for (const rule of rules) printRule(rule);
}

function printRule(explained: ExplainedRule): void {
  const { id, policy, rule, targets, decides } = explained;
  const effect = rule.effect === "allow" ? colors.green("allow") : colors.red("deny ");
  printLine(`  ${effect} ${id}${place(rule.at)}`);
  printLine(`        ${verdictText(explained)}`);
  const about = [`owner ${policy.owner}`, rule.ticket, rule.reason].filter((each) => each !== null);
  if (decides) printLine(`        ${about.join(" · ")}`);
  if (targets > 1 && explained.misses.length > 0)
    printLine(colors.dim(`        (of its ${targets} targets the nearest)`));
}

/** What came of a rule in one line. */
function verdictText({ decides, rule, misses, conditions }: ExplainedRule): string {
  if (misses.length > 0) return `would match but for: ${misses.map(({ text }) => text).join("; ")}`;
  const doubted = conditions.filter(({ verdict }) => verdict === "doubt").map(({ text }) => text);
  const doubt = doubted.length === 0 ? "" : `; in doubt a deny does: ${doubted.join("; ")}`;
  if (decides) return `matches${doubt}`;
  return `matches${doubt}, but ${rule.effect === "allow" ? "a deny beats it" : "the decision ended before"}`;
}

function place(at: SourcePosition | null): string {
  return at === null ? "" : `  ${colors.dim(`${at.file}:${at.line}`)}`;
}

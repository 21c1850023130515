import { instantText, requestsText, tallyText } from "../../analyze/learn/wording.ts";
import type { JudgedPolicy, JudgedReportRule, NotReady, PromoteOptions } from "../../analyze/promote/promote.ts";
import { colors, printLine } from "../output.ts";

/** Prints which policies are ready, which are not and why. */
export function printJudged(policies: readonly JudgedPolicy[], days: number, options: PromoteOptions): void {
  for (const { id, policy, ready, rules } of policies) {
    const state = ready ? colors.green("ready") : colors.yellow("not ready");
    printLine(`${colors.bold(id)}  ${state}  ${colors.dim(`${policy.at.file}:${policy.at.line}`)}`);
    for (const rule of rules) printRule(rule, days, options);
  }
}

function printRule(judged: JudgedReportRule, days: number, options: PromoteOptions): void {
  const { rule, matched, surprises, because } = judged;
  const seen = matched === null ? "matched nothing" : `matched ${tallyText(matched)}`;
  const ends = rule.expires === null ? "" : `; ends ${instantText(rule.expires)}`;
  printLine(`  ${rule.effect} ${rule.name}  ${colors.dim(`${seen}${ends}`)}`);
  for (const why of because) printLine(`    ${WORDS[why](judged, days, options)}`);
  if (surprises.count === 0) return;
  for (const example of surprises.examples) printLine(`      ${colors.dim(example)}`);
}

const WORDS: Readonly<Record<NotReady, (judged: JudgedReportRule, days: number, options: PromoteOptions) => string>> = {
  "not-begun": () => "it has not begun: run it again after `notBefore`",
  expired: () => "it has expired: move `expires`, or remove it",
  "too-young": (_, days, { minDays }) =>
    `the trail has decisions of ${days} of ${minDays} days: wait, or ask for fewer with --min-days`,
  unmatched: (_, __, { minCount }) => `it must match at least ${requestsText(minCount)}: wait, or remove it`,
  "would-deny": ({ surprises }) => `it would stop ${requestsText(surprises.count)} that pass today: see to them first`,
  "without-rule": ({ surprises }) =>
    `only by the fallback: ${requestsText(surprises.count)} to the same host and port; add a rule for them, or stop them`,
};

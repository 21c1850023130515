import type { DraftPolicy } from "../../analyze/learn/draft.ts";
import type { Learnt } from "../../analyze/learn/learn.ts";
import type { LearntTarget } from "../../analyze/learn/learnt-rule.ts";
import { LEFT_OUT } from "../../analyze/learn/left-out.ts";
import { requestsText, tallyText, valuesText } from "../../analyze/learn/wording.ts";
import { colors, count, printLine } from "../output.ts";
import type { TrailCounts } from "../recorded-requests.ts";

/** Prints what was learnt for people. */
export function printLearnt(learnt: Learnt, { records }: TrailCounts, out: string | null): void {
  for (const policy of learnt.policies) printPolicy(policy);
  if (learnt.services.length > 0) printLine(colors.bold("services that nobody registers yet"));
  for (const { pattern, ports, scope } of learnt.services) {
    const list = ports.map(({ number, protocol }) => `${number} ${protocol}`).join(", ");
    printLine(`  ${pattern}  ${list}  ${colors.dim(scope === "" ? "for everyone" : `for namespace ${scope}`)}`);
  }
  if (learnt.leftOut.length > 0) printLine(colors.bold("left out"));
  for (const { why, count: left, examples } of learnt.leftOut) {
    printLine(`  ${requestsText(left)}: ${LEFT_OUT[why]}`);
    for (const example of examples) printLine(`    ${colors.dim(example)}`);
  }
  for (const each of learnt.brokenTests) printLine(`the test ${each} no longer comes out beside the draft`);
  const left = learnt.leftOut.reduce((sum, each) => sum + each.count, 0);
  printLine(
    `${count(records, "decision")}: ${learnt.learnt} learnt, ${learnt.covered} allowed by rules already, ${left} left out`,
  );
  if (learnt.policies.length === 0) printLine("Nothing to draft.");
  else if (out === null) printLine(`Next: write ${count(learnt.files.length, "file")} with -o DIR`);
  else for (const { path } of learnt.files) printLine(`${out}/${path}`);
}

function printPolicy({ workload, name }: DraftPolicy): void {
  printLine(`${colors.bold(workload.from)}  ${colors.dim(`policy ${name}, in report mode`)}`);
  for (const target of workload.targets) printTarget(target);
}

function printTarget({ edge, patterns, tally }: LearntTarget): void {
  const opaque = edge.kind === "http" ? "" : ` ${edge.kind.toUpperCase()}`;
  printLine(`  ${edge.host}:${edge.port}${opaque}  ${colors.dim(tallyText(tally))}`);
  if (edge.siblings.length > 0) printLine(`    ${colors.yellow("wildcard")} for ${valuesText(edge.siblings, "host")}`);
  for (const { text, methods, values } of patterns) {
    printLine(`    ${methods.map((each) => `${each.method} ${each.tally.count}`).join(", ")}  ${text}`);
    for (const each of values) printLine(`      ${colors.dim(`{*}: ${valuesText(each, "value")}`)}`);
  }
}

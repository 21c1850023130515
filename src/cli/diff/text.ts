import type { Change } from "../../analyze/change.ts";
import type { ReplayReport } from "../../analyze/replay/replay.ts";
import { printable } from "../../policy/printable.ts";
import { colors, count, printLine } from "../output.ts";
import { whatText, whenText, whoText, whyText } from "./class-text.ts";
import { CHANGES, type Compared, checkCommandText, type ReadClass } from "./read.ts";

/** How many classes of one change people are shown. */
const SHOWN = 20;

/** Prints a comparison for people. */
export function printDifference(compared: Compared): void {
  const { old, now, difference, replay } = compared;
  printLine(`${old.name} (${old.engine.revision.slice(0, 19)}) -> ${now.name} (${now.engine.revision.slice(0, 19)})`);
  for (const change of Object.keys(CHANGES) as Change[]) printChange(change, compared);
  printLine();
  printLine(verdictText(compared));
  for (const each of difference.unproved.slice(0, SHOWN)) printLine(`  ${printable(each)}`);
  if (replay !== null) for (const line of replayLines(replay)) printLine(line);
}

function printChange(change: Change, { difference, now }: Compared): void {
  const classes = difference.classes.filter((each) => each.change === change);
  if (classes.length === 0) return;
  printLine(`\n${colors.bold(CHANGES[change])}`);
  for (const each of classes.slice(0, SHOWN)) printClass(each, now.name);
  if (classes.length > SHOWN) printLine(`  and ${classes.length - SHOWN} more: --output json tells of all`);
}

function printClass(each: ReadClass, policies: string): void {
  const tint = each.change.endsWith("widening") ? colors.yellow : colors.cyan;
  printLine(`  ${tint(printable(whoText(each)))}`);
  field("what", whatText(each));
  field("when", whenText(each));
  field("before", whyText(each.was, each.wasRules));
  field("now", whyText(each.now, each.nowRules));
  if (each.confirmed) field("try", checkCommandText(each.check, policies));
  else field("note", "cannot be ruled out: it hangs on expressions, and what these can come to is not looked into");
}

function field(name: string, text: string | null): void {
  if (text !== null) printLine(`    ${colors.dim(name.padEnd(7))}${printable(text)}`);
}

/** What is proved, in one sentence. */
export function verdictText({ difference: { counts, hosts, proof, unproved } }: Compared): string {
  const looked = `${hosts - proof.touched} of ${count(hosts, "host")} the same by their rules, ${count(proof.witnesses, "request")} decided for the rest`;
  if (unproved.length > 0) {
    return colors.red(`not proved: at ${count(unproved.length, "place")} rules can be combined in too many ways`);
  }
  const changes = Object.values(counts).reduce((sum, each) => sum + each, 0);
  if (changes === 0) return `${colors.green("no change")}, for every request: ${looked}`;
  if (counts.widening === 0) return `${colors.green("no widening")}, for every request: ${looked}`;
  return `${colors.yellow(count(counts.widening, "widening"))}, and no other, for every request: ${looked}`;
}

/** How many requests on record change. */
export function replayLines({ records, changed, undecidable, failed }: ReplayReport): readonly string[] {
  const lines = [
    `of ${count(records, "request")} on record ${changed.widening} would be allowed that were denied, ${changed.narrowing} denied that were allowed`,
  ];
  if (undecidable > 0) lines.push(`${undecidable} of them cannot be told: they hang on what is not on record`);
  if (failed > 0) lines.push(`${failed} of them do not come out as recorded, a fault of ours: see sallyport replay`);
  return lines;
}

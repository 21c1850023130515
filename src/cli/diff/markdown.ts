import type { Change } from "../../analyze/change.ts";
import { printable } from "../../policy/printable.ts";
import { count, printLine } from "../output.ts";
import { whatText, whenText, whoText, whyText } from "./class-text.ts";
import { CHANGES, type Compared, checkCommandText, type ReadClass } from "./read.ts";
import { replayLines, verdictText } from "./text.ts";

/** A comment on a pull request holds 65,536 characters. */
const SHOWN = 40;

/** Prints a comparison for a pull request. */
export function printMarkdown(compared: Compared): void {
  const { difference, old, now, replay } = compared;
  const { counts } = difference;
  const sums = [
    count(counts.widening, "widening"),
    count(counts.narrowing, "narrowing"),
    `${counts["shadow-widening"] + counts["shadow-narrowing"]} in report mode`,
  ];
  printLine(`### Egress policy: ${sums.join(", ")}`);
  printLine(`\n${verdictText(compared)}.`);
  if (replay !== null) for (const line of replayLines(replay)) printLine(`\n${escaped(line)}.`);
  for (const change of Object.keys(CHANGES) as Change[]) printTable(change, compared);
  printLine(`\n\`${old.engine.revision}\` to \`${now.engine.revision}\``);
}

function printTable(change: Change, { difference, now }: Compared): void {
  const classes = difference.classes.filter((each) => each.change === change);
  if (classes.length === 0) return;
  printLine(`\n#### ${CHANGES[change][0]?.toUpperCase()}${CHANGES[change].slice(1)}\n`);
  printLine("| who | what | before | now |");
  printLine("| --- | --- | --- | --- |");
  for (const each of classes.slice(0, SHOWN)) printLine(rowText(each));
  if (classes.length > SHOWN) printLine(`\nand ${classes.length - SHOWN} more.`);
  const first = classes
    .filter(({ confirmed }) => confirmed)
    .map(({ check }) => checkCommandText(check, now.name))
    .find((each) => each !== null);
  if (first !== undefined) printLine(`\n\`\`\`sh\n${printable(first)}\n\`\`\``);
}

function rowText(each: ReadClass): string {
  const when = whenText(each);
  const what = `${whatText(each)}${when === null ? "" : `, ${when}`}`;
  const cells = [whoText(each), what, whyText(each.was, each.wasRules), whyText(each.now, each.nowRules)];
  return `| ${cells.map(escaped).join(" | ")} |`;
}

/** Nothing that a policy says becomes markup. */
function escaped(text: string): string {
  return printable(text).replace(/[\\`*_{}[\]<>#|~!&]/g, (sign) => `\\${sign}`);
}

import type { Change } from "../../analyze/change.ts";
import { requestText } from "../../analyze/replay/recorded-decision.ts";
import type { ChangedRequests, Outcome, ReplayReport } from "../../analyze/replay/replay.ts";
import { printable } from "../../policy/printable.ts";
import { colors, count, printLine } from "../output.ts";
import { shortSubject } from "../short-subject.ts";
import { tableLines } from "../table.ts";

const TITLES: Readonly<Record<Change, string>> = {
  widening: "allowed now, denied then",
  narrowing: "denied now, allowed then",
  "shadow-widening": "allowed once report mode is enforced, denied so then",
  "shadow-narrowing": "denied once report mode is enforced, allowed so then",
};

/** How many classes of one change people are shown. */
const SHOWN = 20;

/** Prints what became of the requests for people. */
export function printReplay(
  report: ReplayReport,
  unreadable: number,
  { now, log }: { readonly now: string; readonly log: string },
): void {
  const { records, first, last, same, otherwise, changed, undecidable, own, revision } = report;
  const when = first === null ? "" : ` of ${first} to ${last}`;
  printLine(`${count(records, "request")}${when}, decided by ${now} (${revision.slice(0, 19)})`);
  const sums: (readonly [number, string])[] = [
    [same, otherwise === 0 ? "as before" : `as before, ${otherwise} of them by other rules or for another reason`],
    ...Object.entries(TITLES).map(([change, title]) => [changed[change as Change], title] as const),
    [undecidable, "cannot be told: it hangs on what is not on record"],
    [own, "not decided by policies then"],
    [unreadable, `unreadable, see: sallyport audit verify ${log}`],
  ];
  for (const [number, text] of sums) if (number > 0) printLine(`${number.toString().padStart(12)}  ${text}`);
  printReproduced(report);
  for (const [change, title] of Object.entries(TITLES)) printClasses(report, change as Change, title);
  printUndecidable(report);
  printFailures(report);
}

function printReproduced({ reproduced: { exact, completed, withheld }, absent, failed }: ReplayReport): void {
  const hand = exact + completed + withheld + failed;
  if (hand > 0) {
    const parts = [
      completed === 0 ? null : `${completed} with values that are not on record`,
      withheld === 0 ? null : `${withheld} refused for what is not on record`,
    ].filter((each) => each !== null);
    const aside = parts.length === 0 ? "" : ` (${parts.join(", ")})`;
    const verdict = failed === 0 ? colors.green(`${hand} of ${hand}`) : colors.red(`${hand - failed} of ${hand}`);
    printLine(`\n${verdict} come out as recorded under their own policies${aside}`);
  }
  const missing = [...absent.values()].reduce((sum, each) => sum + each, 0);
  if (missing > 0) {
    const of = count(absent.size, "revision");
    printLine(`\n${missing} were decided by ${of} not at hand: name them with --was, and they are checked too`);
  }
}

function printClasses({ classes }: ReplayReport, change: Change, title: string): void {
  const all = classes.filter((each) => each.change === change);
  if (all.length === 0) return;
  printLine(`\n${colors.bold(title)}`);
  const rows = all.slice(0, SHOWN).map((each) => rowOf(each, change.startsWith("shadow")));
  for (const line of tableLines(["requests", "who", "what", "then", "now"], rows)) printLine(`  ${line}`);
  if (all.length > SHOWN) printLine(`  and ${all.length - SHOWN} more: --output json tells of all`);
}

function rowOf({ count: number, from, examples, was, now }: ChangedRequests, shadow: boolean): readonly string[] {
  const [first = ""] = examples;
  const more = number > 1 && examples.length > 1 ? ", …" : "";
  return [
    String(number),
    printable(shortSubject(from)),
    `${printable(first)}${more}`,
    whyText(was, shadow),
    whyText(now, shadow),
  ];
}

function whyText({ reason, rules, shadow, shadowRules }: Outcome, ofShadow: boolean): string {
  const [first, ...others] = ofShadow ? shadowRules : rules;
  const by = first === undefined ? "" : ` ${first}${others.length === 0 ? "" : ` +${others.length}`}`;
  return `${ofShadow ? shadow : reason}${by}`;
}

function printUndecidable({ undecidableClasses }: ReplayReport): void {
  if (undecidableClasses.length === 0) return;
  printLine(`\n${colors.bold("cannot be told")}`);
  const rows = undecidableClasses.map(({ on, count: number, example }) => [
    String(number),
    on.join(", "),
    printable(example),
  ]);
  for (const line of tableLines(["requests", "hangs on", "such as"], rows)) printLine(`  ${line}`);
  printLine(`  ${colors.dim("next")} record what it hangs on: audit.headers.include`);
}

function printFailures({ failures, failed }: ReplayReport): void {
  if (failed === 0) return;
  printLine(`\n${colors.red("do not come out as recorded: a fault of ours, please report it")}`);
  for (const { record, got } of failures) {
    const who = shortSubject(record.subject.spiffeId);
    printLine(printable(`  ${record.time}  ${record.id ?? ""}  ${who}  ${requestText(record)}`));
    printLine(`    recorded ${record.effect} ${whyText(record, false)}; now ${got.effect} ${whyText(got, false)}`);
  }
}

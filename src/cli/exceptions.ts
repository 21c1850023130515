import { Command } from "commander";
import { spanText } from "../analyze/span.ts";
import { type Exception, type ExceptionState, exceptionState, exceptionsOf } from "../policy/exceptions.ts";
import { requireSet } from "./load-set.ts";
import { colors, count, outputOption, parseInstant, policiesOption, printJson, printLine } from "./output.ts";
import { parseSpan } from "./span-option.ts";
import { tableLines } from "./table.ts";

const HELP = `
An exception is a rule with \`expires\`: it ends by itself. They are listed by their end: those that have expired, those
that do so within --within, and the others. When an allow ends, something is closed; when a deny ends, something opens.

Examples:
  sallyport exceptions                           all of ./policies
  sallyport exceptions --within 90d              soon means within 90 days
  sallyport exceptions --output json | jq '.exceptions[] | select(.state == "soon") | .owner'

Exit codes: 0 listed, 3 the policies are invalid, 1 they cannot be read, 64 wrong options.`;

interface ExceptionsOptions {
  readonly policies: string;
  readonly within: number;
  readonly now?: number;
  readonly output: string;
}

/** `sallyport exceptions`: the rules that end by themselves, by when they do. */
export function exceptionsCommand(): Command {
  return new Command("exceptions")
    .summary("list the rules that expire, by their end")
    .description("List the rules that expire, by their end.")
    .addOption(policiesOption())
    .option("--within <time>", "what is soon, e.g. 30d", parseSpan, parseSpan("30d"))
    .option("--now <time>", "as of this instant (RFC 3339) instead of the present", parseInstant)
    .addOption(outputOption(["human", "json"]))
    .addHelpText("after", HELP)
    .action(list);
}

/** An exception and where it stands. */
type Listed = Exception & { readonly state: ExceptionState };

async function list({ policies, within, now, output }: ExceptionsOptions): Promise<void> {
  const loaded = await requireSet(policies, output);
  if (loaded === null) return;
  const nowMs = now ?? Date.now();
  const listed = exceptionsOf(loaded.set).map((each) => ({
    ...each,
    state: exceptionState(each.expires, nowMs, within),
  }));
  if (output === "json") printJson(exceptionsJson(listed, nowMs, within));
  else printHuman(listed, nowMs, policies);
}

function exceptionsJson(listed: readonly Listed[], nowMs: number, withinMs: number): Record<string, unknown> {
  const text = (ms: number | null): string | null => (ms === null ? null : new Date(ms).toISOString());
  return {
    schema: "sallyport.dev/exceptions/v1",
    now: text(nowMs),
    soonUntil: text(nowMs + withinMs),
    exceptions: listed.map(({ rule, effect, mode, notBefore, expires, state, owner, ticket, reason, at }) => ({
      ...{ rule, state, expires: text(expires), notBefore: text(notBefore), effect, mode, owner, ticket, reason },
      ...{ file: at.file, line: at.line },
    })),
  };
}

const TINTS: Readonly<Record<ExceptionState, (text: string) => string>> = {
  expired: colors.red,
  soon: colors.yellow,
  later: (text) => text,
};
const HEAD = ["STATE", "END (UTC)", "", "RULE", "EFFECT", "OWNER", "TICKET", "REASON", "PLACE"];

function printHuman(listed: readonly Listed[], nowMs: number, policies: string): void {
  if (listed.length === 0) {
    printLine(`${policies}: no rule expires`);
    return;
  }
  const [head = "", ...lines] = tableLines(
    HEAD,
    listed.map((each) => row(each, nowMs)),
  );
  printLine(colors.dim(head));
  for (const [index, line] of lines.entries()) printLine(TINTS[listed[index]?.state ?? "later"](line));
  const of = (state: ExceptionState): number => listed.filter((each) => each.state === state).length;
  printLine(`${count(listed.length, "exception")}: ${of("expired")} expired, ${of("soon")} soon, ${of("later")} later`);
  if (of("expired") > 0) printLine("Next: remove what has expired, or ask its owner to move `expires`.");
}

function row({ state, expires, rule, effect, mode, owner, ticket, reason, at }: Listed, nowMs: number): string[] {
  const left = expires <= nowMs ? `${spanText(nowMs - expires)} ago` : `in ${spanText(expires - nowMs)}`;
  const end = new Date(expires).toISOString().slice(0, 16).replace("T", " ");
  const what = mode === "report" ? `${effect} (report)` : effect;
  return [state, end, left, rule, what, owner, ticket ?? "-", reason ?? "-", `${at.file}:${at.line}`];
}

import { Command, InvalidArgumentError } from "commander";
import { followTrail } from "../../audit/follow.ts";
import type { AuditLine } from "../../audit/ocsf.ts";
import type { AuditRecord } from "../../audit/record.ts";
import { EXIT } from "../exit-code.ts";
import { colors, outputOption, printFailure } from "../output.ts";

const HELP = `
Shows the newest decisions, and with -f those to come, over rotations. Filters must all hold; * is any text.

Examples:
  sallyport audit tail /var/log/sallyport/audit.jsonl -f
  sallyport audit tail audit.jsonl -n 50 --effect deny --workload 'spiffe://cluster.local/ns/shop/*'
  sallyport audit tail audit.jsonl -f --host '*.example.com' --output json | jq .target.path
  sallyport audit tail audit.jsonl -f --would-deny --events

Exit codes: 0 shown, 1 the file cannot be read, 64 wrong options.`;

/** `sallyport audit tail`. */
export function tailCommand(): Command {
  return new Command("tail")
    .summary("show the newest decisions, and those to come")
    .description("Show the newest decisions, and those to come.")
    .argument("<file>", "the audit file")
    .option("-f, --follow", "go on with what is written, until interrupted")
    .option("-n, --lines <count>", "how many of the newest to begin with", parseCount, 10)
    .option("--effect <effect>", "allow or deny", parseEffect)
    .option("--would-deny", "only what was allowed and would be denied if report mode were enforced")
    .option("--workload <pattern>", "SPIFFE ID")
    .option("--host <pattern>", "target host")
    .option("--reason <reason>", "why it was decided so")
    .option("--events", "events of the policies and the server too")
    .addOption(outputOption(["human", "json", "csv"]))
    .addHelpText("after", HELP)
    .action(tail);
}

interface TailOptions {
  readonly follow?: boolean;
  readonly lines: number;
  readonly effect?: string;
  readonly wouldDeny?: boolean;
  readonly workload?: string;
  readonly host?: string;
  readonly reason?: string;
  readonly events?: boolean;
  readonly output: string;
}

async function tail(file: string, options: TailOptions): Promise<void> {
  const wanted = createFilter(options);
  const show = PRINTERS[options.output] ?? printPlain;
  const stop = new AbortController();
  if (options.follow !== true) stop.abort();
  else for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => stop.abort());
  process.stdout.on("error", () => process.exit(EXIT.ok));
  if (options.output === "csv") process.stdout.write(`${CSV_HEAD.join(",")}\n`);
  const newest: [AuditLine, string][] = [];
  let begun = false;
  try {
    for await (const text of followTrail(file, stop.signal)) {
      if (text === null) {
        for (const [line, each] of newest.splice(0)) show(line, each);
        begun = true;
        continue;
      }
      const line = parseLine(text);
      if (line === null || !wanted(line)) continue;
      if (begun) show(line, text);
      else if (newest.push([line, text]) > options.lines) newest.shift();
    }
  } catch (error) {
    printFailure(
      `${file} cannot be read: ${error instanceof Error ? error.message : error}`,
      "name the file that `sallyport serve --audit-to` writes",
    );
    process.exitCode = EXIT.failure;
  }
}

function createFilter(options: TailOptions): (line: AuditLine) => boolean {
  const { effect, wouldDeny, reason } = options;
  const workload = globOf(options.workload);
  const host = globOf(options.host);
  return (line) => {
    if ("event" in line) return options.events === true && !["seal", "segment", "checkpoint"].includes(line.event);
    if (effect !== undefined && line.effect !== effect) return false;
    if (wouldDeny === true && !(line.effect === "allow" && line.shadow === "deny")) return false;
    if (reason !== undefined && line.reason !== reason) return false;
    return workload.test(line.subject.spiffeId) && host.test(line.target.host);
  };
}

function globOf(pattern = "*"): RegExp {
  return new RegExp(`^${pattern.split("*").map(escaped).join(".*")}$`, "s");
}

function escaped(text: string): string {
  return text.replace(/[.+?^${}()|[\]\\]/g, "\\$&");
}

/** A line that is no JSON is shown by `audit verify`, not here. */
function parseLine(text: string): AuditLine | null {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

type Printer = (line: AuditLine, text: string) => void;

function printPlain(line: AuditLine): void {
  if ("event" in line) {
    const { event, time, ...detail } = line;
    process.stdout.write(`${time ?? ""}  ${colors.cyan(event)}  ${JSON.stringify(detail)}\n`);
    return;
  }
  const { time, effect, shadow, subject, target, reason, rules } = line;
  const what = [target.method, `${target.host}:${target.port}${target.path ?? ""}`].filter((each) => each !== null);
  const paint = effect === "deny" ? colors.red : shadow === "deny" ? colors.yellow : colors.green;
  const would = effect === "allow" && shadow === "deny" ? " (would deny)" : "";
  const why = [`${reason}${would}`, ...rules].join(" ");
  process.stdout.write(
    `${time}  ${paint(effect.padEnd(5))}  ${subject.spiffeId}  ${what.join(" ")}  ${colors.dim(why)}\n`,
  );
}

const CSV_HEAD = ["time", "id", "effect", "shadow", "reason", "workload", "host", "port", "method", "path", "rules"];

function csvFields({ time, id, effect, shadow, reason, subject, target, rules }: AuditRecord): readonly unknown[] {
  const { host, port, method, path } = target;
  return [time, id, effect, shadow, reason, subject.spiffeId, host, port, method, path, rules.join(" ")];
}

const PRINTERS: Readonly<Record<string, Printer>> = {
  human: printPlain,
  json: (_line, text) => process.stdout.write(`${text}\n`),
  csv(line) {
    if (!("event" in line)) process.stdout.write(`${csvFields(line).map(csvField).join(",")}\n`);
  },
};

function csvField(value: unknown): string {
  const text = value === null ? "" : String(value);
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

function parseCount(text: string): number {
  if (!/^\d{1,7}$/.test(text)) throw new InvalidArgumentError("write a number.");
  return Number(text);
}

function parseEffect(text: string): string {
  if (text !== "allow" && text !== "deny") throw new InvalidArgumentError("write allow or deny.");
  return text;
}

import { createReadStream } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pipeline } from "node:stream/promises";
import { Command, InvalidArgumentError } from "commander";
import { indexRules } from "../../analyze/rule-index.ts";
import { type KnownRule, NoDatabase, openTrailDatabase, type TrailDatabase } from "../../audit/ask.ts";
import { EXIT } from "../exit-code.ts";
import { requireSet } from "../load-set.ts";
import { colors, count, outputOption, parseInstant, printFailure, printLine } from "../output.ts";
import { tableLines } from "../table.ts";
import { filesBetween } from "./files.ts";
import { QUESTIONS, type Question } from "./questions.ts";

const HELP = `
QUESTION is SQL over the table \`decisions\`, or one of:
${QUESTIONS.map(({ name, summary }) => `  ${name.padEnd(17)} ${summary}`).join("\n")}

Columns of \`decisions\`: time, id, seq, revision, seat, workload, namespace, service_account, host, port, protocol, method, path, effect,
shadow, reason, rules, shadow_rules, owner, ticket, cache_hit, request_id, trace_id, gateway, latency_us, headers. Compressed files are read
as they are. Whether the trail is whole says \`sallyport audit verify\`.

Examples:
  sallyport audit query /var/log/sallyport/audit.jsonl top-denied
  sallyport audit query audit.jsonl new-destinations --since 2026-11-16T00:00:00Z --output csv
  sallyport audit query audit.jsonl unused-rules --policies ./policies
  sallyport audit query audit.jsonl "SELECT reason, count(*) FROM decisions GROUP BY reason"
  sallyport audit query audit.jsonl "FROM decisions" --output parquet --to decisions.parquet

Exit codes: 0 answered, 1 a file cannot be read, the question is wrong or the optional package @duckdb/node-api is missing, 3 the policies
are invalid, 64 wrong options.`;

/** `sallyport audit query`. */
export function queryCommand(): Command {
  return new Command("query")
    .summary("ask an audit trail")
    .description("Ask an audit trail, in SQL or with a ready question.")
    .argument("<file>", "the audit file")
    .argument("<question>", "SQL, or the name of a ready question")
    .option("--since <time>", "only decisions of this time or later (RFC 3339)", parseInstant)
    .option("--limit <count>", "rows of a ready question", parseLimit, 20)
    .option("--policies <dir>", "policy directory, for questions about rules")
    .option("--to <file>", "write the answer to a file instead")
    .addOption(outputOption(["table", "json", "csv", "parquet"]))
    .addHelpText("after", HELP)
    .action(query);
}

interface QueryOptions {
  readonly since?: number;
  readonly limit: number;
  readonly policies?: string;
  readonly to?: string;
  readonly output: "table" | "json" | "csv" | "parquet";
}

async function query(file: string, asked: string, options: QueryOptions): Promise<void> {
  const { since, limit, output, to } = options;
  const ready = QUESTIONS.find(({ name }) => name === asked);
  const problem = wrongUse(asked, ready, options);
  if (problem !== null) {
    printFailure(problem[0], problem[1]);
    process.exitCode = EXIT.usage;
    return;
  }
  const rules = await readRules(options.policies, output);
  if (rules === null) return;
  // A ready question about a time compares it with what was before.
  const sinceMs = ready?.needsSince === true ? null : (since ?? null);
  const files = await filesBetween(file, sinceMs, null);
  if (files === null) return;
  const sql = ready?.sql({ since: new Date(since ?? 0).toISOString(), limit }) ?? asked;
  let database: TrailDatabase | null = null;
  try {
    database = await openTrailDatabase(files, rules, sinceMs);
    if (output === "table") await printTable(database, sql);
    else if (to !== undefined) await database.write(sql, to, output);
    else await print(database, sql, output);
    await warnOfUnreadable(database, files.at(-1) ?? file);
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    printFailure(
      why,
      error instanceof NoDatabase ? "npm install @duckdb/node-api" : "sallyport audit query --help shows the columns",
    );
    process.exitCode = EXIT.failure;
  } finally {
    database?.close();
  }
}

/** What is wrong with the options and what to do, or null. */
function wrongUse(
  asked: string,
  ready: Question | undefined,
  { since, policies, to, output }: QueryOptions,
): readonly [string, string] | null {
  if (ready === undefined && /^[a-z-]+$/.test(asked))
    return [`${asked} is no ready question`, `there are ${QUESTIONS.map(({ name }) => name).join(", ")}`];
  if (ready?.needsSince === true && since === undefined)
    return [`${asked} needs a time`, "add --since 2026-11-16T00:00:00Z"];
  if (ready?.needsPolicies === true && policies === undefined)
    return [`${asked} needs the policies`, "add --policies DIR"];
  if (output === "parquet" && to === undefined) return ["parquet is for files", "add --to FILE"];
  if (output === "table" && to !== undefined) return ["a table is for people", "add --output csv, json or parquet"];
  return null;
}

/** The rules of a policy directory; none without one. Null when they cannot be had, which was then said. */
async function readRules(policies: string | undefined, output: string): Promise<readonly KnownRule[] | null> {
  if (policies === undefined) return [];
  const loaded = await requireSet(policies, output);
  if (loaded === null) return null;
  return [...indexRules(loaded.set)].map(([id, { policy, rule }]) => ({
    id,
    effect: rule.effect,
    owner: policy.owner,
    ticket: rule.ticket,
    expires: rule.expires === null ? null : new Date(rule.expires).toISOString(),
    place: `${rule.at.file}:${rule.at.line}`,
  }));
}

async function printTable(database: TrailDatabase, sql: string): Promise<void> {
  const { columns, rows } = await database.rows(sql);
  const [head = "", ...lines] = tableLines(
    columns,
    rows.map((row) => row.map(cellText)),
  );
  printLine(colors.bold(head));
  for (const line of lines) printLine(line);
  printLine(colors.dim(count(rows.length, "row")));
}

/** The database writes files only. */
async function print(database: TrailDatabase, sql: string, format: "json" | "csv" | "parquet"): Promise<void> {
  const directory = await mkdtemp(join(tmpdir(), "sallyport-query-"));
  try {
    const file = join(directory, "answer");
    await database.write(sql, file, format);
    await pipeline(createReadStream(file), process.stdout, { end: false });
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

function cellText(value: unknown): string {
  if (value === null || value === undefined) return "-";
  if (Array.isArray(value)) return value.map(cellText).join(" ") || "-";
  return typeof value === "object" ? JSON.stringify(value) : String(value);
}

/** Only the open file may end in the middle of a line. */
async function warnOfUnreadable(database: TrailDatabase, file: string): Promise<void> {
  const lines = await database.unreadable(file);
  if (lines > 0)
    process.stderr.write(`${count(lines, "line")} of ${file} could not be read: sallyport audit verify says which\n`);
}

function parseLimit(text: string): number {
  if (!/^[1-9]\d{0,6}$/.test(text)) throw new InvalidArgumentError("write a number.");
  return Number(text);
}

import { readFile } from "node:fs/promises";
import { relative, resolve, sep } from "node:path";
import { Command, Option } from "commander";
import type { Finding } from "../analyze/lint/finding.ts";
import { type LintReport, lint } from "../analyze/lint/lint.ts";
import { LINT_CODES } from "../analyze/lint/lint-codes.ts";
import { EXIT } from "./exit-code.ts";
import { lintJson, lintJunit, lintSarif } from "./lint/machine.ts";
import { type ReadTrail, readTrail } from "./lint/read-trail.ts";
import { annotateLint, printLint } from "./lint/text.ts";
import { requireSet, type ValidSet } from "./load-set.ts";
import { parseNumber } from "./number-option.ts";
import { count, outputOption, parseInstant, policiesOption, printFailure, printJson } from "./output.ts";
import { parseSpan } from "./span-option.ts";

const HELP = `
Looks through a valid policy set for what it would be better without: rules that never decide, that say the same as
others or have expired; allows nobody answers for; services and groups that nothing uses. With an audit trail also what
was not used in the last days, and wildcards that few hosts went through. PATHS are files or directories of the policy
set: the whole set is looked through, and what lies there is told of.

A comment keeps a finding quiet in the block under it, until a day and for a reason:
  # sallyport-lint-ignore expiring-rule until 2027-01-31: ends with the contract, SEC-1234

Examples:
  sallyport lint
  sallyport lint policies/payments --within 90d
  sallyport lint --owners owners.txt --fail-on note --output sarif > lint.sarif
  sallyport lint --output github                    annotates pull requests; junit is for CI servers
  sallyport lint --audit /var/log/sallyport/audit.jsonl --days 90

Exit codes: 0 nothing found that --fail-on names, 4 something was, 3 the policies are invalid, 1 a file cannot be read or the
trail does not reach back so far, 64 wrong options. Every code is explained in docs/lint.md.`;

const SEVERITIES = ["note", "warning", "error", "never"] as const;

interface LintCommandOptions {
  readonly policies: string;
  readonly within: number;
  readonly owners?: string;
  readonly audit?: string;
  readonly days?: number;
  readonly now?: number;
  readonly failOn: (typeof SEVERITIES)[number];
  readonly output: string;
}

/** `sallyport lint`: what a policy set would be better without. */
export function lintCommand(): Command {
  return new Command("lint")
    .summary("find rules, services and groups that a policy set would be better without")
    .description("Find what a policy set would be better without.")
    .argument("[paths...]", "tell only of what lies in these files and directories of the policy set")
    .addOption(policiesOption())
    .option("--within <time>", "tell of rules that expire within this time, e.g. 30d", parseSpan, parseSpan("30d"))
    .option("--owners <file>", "who still answers for policies: one owner a line, as `owner` names it")
    .option("--audit <file>", "an audit trail: what was not used in the last days")
    .option("--days <n>", "with --audit: how many days (default: 30)", parseNumber)
    .option("--now <time>", "judge as of this instant (RFC 3339) instead of the present", parseInstant)
    .addOption(new Option("--fail-on <severity>", "fail on findings so grave").choices(SEVERITIES).default("warning"))
    .addOption(outputOption(["human", "json", "sarif", "junit", "github"]))
    .addHelpText("after", HELP)
    .action(run);
}

const DEFAULT_DAYS = 30;

async function run(paths: readonly string[], options: LintCommandOptions): Promise<void> {
  if (options.days !== undefined && options.audit === undefined) {
    printFailure("--days is about a trail", "name the trail with --audit FILE");
    process.exitCode = EXIT.usage;
    return;
  }
  const loaded = await requireSet(options.policies, options.output);
  if (loaded === null) return;
  const within = placesWithin(paths, options.policies, loaded);
  if (within === null) return;
  const owners = options.owners === undefined ? null : await readOwners(options.owners);
  if (owners === "unreadable") return;
  const nowMs = options.now ?? Date.now();
  const { audit: file, days = DEFAULT_DAYS } = options;
  const trail = file === undefined ? null : await readTrail(loaded, { file, days, nowMs });
  if (file !== undefined && trail === null) return;
  const all = lint(loaded.set, loaded.sources, { nowMs, withinMs: options.within, owners, observed: trail });
  const report: LintReport = {
    findings: all.findings.filter(({ at }) => within(at.file)),
    suppressed: all.suppressed.filter(({ finding }) => within(finding.at.file)),
  };
  print(report, { ...loaded, sources: loaded.sources.filter(({ path }) => within(path)) }, trail, options);
}

function print(report: LintReport, loaded: ValidSet, trail: ReadTrail | null, options: LintCommandOptions): void {
  const fails = (each: Finding): boolean => isGrave(each, options.failOn);
  const failed = report.findings.some(fails);
  process.exitCode = failed ? EXIT.checkFailed : EXIT.ok;
  if (options.output === "json") printJson(lintJson(report, failed, trail));
  else if (options.output === "sarif") printJson(lintSarif(report, options.policies));
  else if (options.output === "junit") {
    const files = loaded.sources.map(({ path }) => path);
    process.stdout.write(lintJunit(report, files, fails, options.policies));
  } else if (options.output === "github") annotateLint(report, options.policies);
  else printLint(report, loaded.sources, options.policies);
  if (trail !== null && trail.unreadable > 0) {
    const lines = count(trail.unreadable, "line");
    process.stderr.write(`${lines} of the trail cannot be read; run: sallyport audit verify ${options.audit}\n`);
  }
}

function isGrave({ code }: Finding, failOn: (typeof SEVERITIES)[number]): boolean {
  return SEVERITIES.indexOf(LINT_CODES[code].severity) >= SEVERITIES.indexOf(failOn);
}

/** Whether a policy file is one that is asked about; null, after saying why, when a path names none. */
function placesWithin(
  paths: readonly string[],
  policies: string,
  { sources }: ValidSet,
): ((file: string) => boolean) | null {
  const places = paths.map((path) => relative(resolve(policies), resolve(path)).split(sep).join("/"));
  const holds = (place: string, file: string): boolean =>
    place === "" || file === place || file.startsWith(`${place}/`);
  const strange = paths.find((_, index) => !sources.some(({ path }) => holds(places[index] ?? "", path)));
  if (strange === undefined) return (file) => places.length === 0 || places.some((place) => holds(place, file));
  printFailure(`${strange} holds no file of the policy set in ${policies}`, "name another set with --policies DIR");
  process.exitCode = EXIT.usage;
  return null;
}

async function readOwners(file: string): Promise<ReadonlySet<string> | "unreadable"> {
  try {
    const lines = (await readFile(file, "utf8")).split(/\r?\n/).map((line) => line.trim());
    return new Set(lines.filter((line) => line !== "" && !line.startsWith("#")));
  } catch (error) {
    printFailure(`${file}: ${error instanceof Error ? error.message : error}`, "name a file with one owner a line");
    process.exitCode = EXIT.failure;
    return "unreadable";
  }
}

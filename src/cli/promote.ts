import { join } from "node:path";
import { Command } from "commander";
import { createTwoFilesPatch } from "diff";
import { brokenTests } from "../analyze/broken-tests.ts";
import { type EditedFile, enforcePolicies } from "../analyze/promote/edit-mode.ts";
import { createPromoter, type JudgedPolicy } from "../analyze/promote/promote.ts";
import { compileBundle } from "../bundle/compile.ts";
import { createCanonicaliser } from "../pdp/canonicaliser.ts";
import { createEngine } from "../pdp/engine.ts";
import type { PolicySet } from "../policy/model.ts";
import { EXIT } from "./exit-code.ts";
import { requireSet, type ValidSet } from "./load-set.ts";
import { parseCount, parseNumber } from "./number-option.ts";
import { count, outputOption, parseInstant, policiesOption, printFailure, printJson, printLine } from "./output.ts";
import { judgedJson } from "./promote/machine.ts";
import { printJudged } from "./promote/text.ts";
import { readRecordedRequests } from "./recorded-requests.ts";
import { rewriteAtomically } from "./write-file.ts";

const HELP = `
Asks the requests of an audit trail again under the policies as they are, and as they are once everything is enforced. A
policy in report mode is ready when each of its rules is: it is in force now, the trail has decisions of --min-days days,
an allow matched --min-count requests and no request of its workloads to its hosts and ports passes by the fallback alone,
a deny would stop no request that passes today. \`mode: report\` of a policy that is ready becomes \`mode: enforce\`; nothing
else in its file changes. POLICIES are names such as payments/stripe; none means all that are in report mode.

Examples:
  sallyport promote --audit /var/log/sallyport/audit.jsonl --dry-run
  sallyport promote payments/learnt-checkout --audit audit.jsonl --days 14
  sallyport promote --audit audit.jsonl --max-surprises 5 --output json

Exit codes: 0 all that were asked about are ready, 4 some are not, 3 the policies are invalid, 1 a file cannot be read or written,
64 wrong options. docs/policy-life.md says what to do about those that are not ready.`;

interface PromoteCommandOptions {
  readonly policies: string;
  readonly audit: string;
  readonly days: number;
  readonly minCount: number;
  readonly minDays: number;
  readonly maxSurprises: number;
  readonly dryRun?: boolean;
  readonly now?: number;
  readonly output: string;
}

/** `sallyport promote`: policies in report mode are enforced once traffic says that they can be. */
export function promoteCommand(): Command {
  return new Command("promote")
    .summary("enforce policies in report mode whose evidence is clean")
    .description("Enforce the policies in report mode whose evidence is clean.")
    .argument("[policies...]", "names of policies: namespace/policy, or policy of the root")
    .addOption(policiesOption())
    .requiredOption("--audit <file>", "the audit trail")
    .option("--days <n>", "look at the last days", parseNumber, 30)
    .option("--min-count <n>", "so many requests an allow must have matched", parseNumber, 1)
    .option("--min-days <n>", "on so many days the trail must have decisions", parseNumber, 7)
    .option("--max-surprises <n>", "so many requests that come out otherwise a rule may have", parseCount, 0)
    .option("--dry-run", "say what would change, and change nothing")
    .option("--now <time>", "judge as of this instant (RFC 3339) instead of the present", parseInstant)
    .addOption(outputOption(["human", "json"]))
    .addHelpText("after", HELP)
    .action(run);
}

async function run(names: readonly string[], options: PromoteCommandOptions): Promise<void> {
  const loaded = await requireSet(options.policies, options.output, true);
  if (loaded === null) return;
  const nowMs = options.now ?? Date.now();
  const limits = { ...options, nowMs };
  const promoter = createPromoter(loaded.set, loaded.module, limits);
  const read = await readRecordedRequests({ file: options.audit, days: options.days, nowMs }, promoter.add);
  if (read === null) return;
  const { days, policies } = promoter.finish();
  const strange = names.find((name) => !policies.some(({ id }) => id === name));
  if (strange !== undefined) {
    printFailure(
      `no policy ${strange} is in report mode`,
      `in report mode: ${policies.map(({ id }) => id).join(", ") || "none"}`,
    );
    process.exitCode = EXIT.usage;
    return;
  }
  const asked = policies.filter(({ id }) => names.length === 0 || names.includes(id));
  const ready = asked.filter((each) => each.ready);
  const edits = enforcePolicies(
    loaded.set,
    loaded.sources,
    ready.map(({ policy }) => policy),
    createCanonicaliser(loaded.module),
  );
  if (!edits.ok) {
    printFailure(edits.message, edits.fix);
    process.exitCode = EXIT.failure;
    return;
  }
  const { files, set } = edits.value;
  if (options.dryRun !== true && !(await write(options.policies, files))) return;
  process.exitCode = ready.length === asked.length ? EXIT.ok : EXIT.checkFailed;
  const broken = brokenCases(loaded, set);
  if (options.output === "json") {
    printJson({
      schema: "sallyport.dev/promote/v1",
      trail: { ...read, days },
      dryRun: options.dryRun === true,
      policies: asked.map(judgedJson),
      files: files.map((each) => ({ file: each.path, diff: difference(each) })),
      brokenTests: broken,
    });
    return;
  }
  printJudged(asked, days, limits);
  for (const each of files) printLine(difference(each));
  for (const each of broken) printLine(`the test ${each} no longer comes out: it expects what report mode did`);
  printLine(summary(asked, ready.length, options));
}

function summary(asked: readonly JudgedPolicy[], ready: number, { dryRun, policies }: PromoteCommandOptions): string {
  if (asked.length === 0) return `${policies}: no policy is in report mode`;
  const done = dryRun === true ? "would be enforced" : "enforced";
  const next = ready === 0 ? "" : dryRun === true ? "; next: the same without --dry-run" : "; next: sallyport test";
  return `${count(asked.length, "policy in report mode", "policies in report mode")}, ${ready} ${done}${next}`;
}

/** The tests that came out before and do not with the edited set. */
function brokenCases({ tests, set, module }: ValidSet, after: PolicySet): readonly string[] {
  const decide = (of: PolicySet) => createEngine(module, compileBundle(of)).decide;
  return brokenTests(tests, decide(set), decide(after), set.gateway.trustDomains[0] ?? "");
}

async function write(directory: string, files: readonly EditedFile[]): Promise<boolean> {
  for (const { path, after } of files) {
    try {
      await rewriteAtomically(join(directory, path), after);
    } catch (error) {
      printFailure(`${path} cannot be written: ${error instanceof Error ? error.message : error}`, null);
      process.exitCode = EXIT.failure;
      return false;
    }
  }
  return true;
}

function difference({ path, before, after }: EditedFile): string {
  return createTwoFilesPatch(path, `${path} (enforced)`, before, after);
}

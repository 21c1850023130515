import { existsSync } from "node:fs";
import { mkdir, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { Command, InvalidArgumentError } from "commander";
import { createLearner, type Learnt } from "../analyze/learn/learn.ts";
import type { LearntFile } from "../analyze/learn/prove-draft.ts";
import { createCanonicaliser } from "../pdp/canonicaliser.ts";
import { line } from "../policy/schema/common.ts";
import { EXIT } from "./exit-code.ts";
import { learnJson } from "./learn/machine.ts";
import { printLearnt } from "./learn/text.ts";
import { requireSet } from "./load-set.ts";
import { parseNumber } from "./number-option.ts";
import { count, longOutputOption, parseInstant, policiesOption, printFailure, printJson } from "./output.ts";
import { readRecordedRequests } from "./recorded-requests.ts";
import { parseSpan } from "./span-option.ts";

const HELP = `
Reads the decisions of an audit trail and drafts the least that allows what was let pass and no rule of the policy set
allows: a policy in report mode for each workload, the services that nobody registers yet, and tests. What was denied, or
would be if everything were enforced, is never learnt; neither are guarded hosts, expired rules and ambiguous paths. Hosts,
ports and methods are those that were seen. A segment of a path becomes {*} when it is a UUID, 16 or more hexadecimal
digits, one of two or more different numbers at its place, or one of --path-values different segments there.

The draft is read back beside the set before a file is written: it is valid, its tests pass, the lint finds nothing to mend.
Without -o nothing is written. No file of the policy set is changed.

Examples:
  sallyport learn /var/log/sallyport/audit.jsonl --owner payments@example.com
  sallyport learn audit.jsonl --owner payments@example.com --days 30 --min-count 5 -o draft
  sallyport learn audit.jsonl --owner security@example.com --wildcard-hosts 10 -o policies

Exit codes: 0 done, 3 the policies are invalid, 1 a file cannot be read or written, or the draft does not hold, 64 wrong
options. The rules of learning are explained in docs/policy-life.md.`;

interface LearnCommandOptions {
  readonly policies: string;
  readonly out?: string;
  readonly owner: string;
  readonly expires: number;
  readonly days?: number;
  readonly minCount: number;
  readonly minDays: number;
  readonly pathValues: number;
  readonly wildcardHosts?: number;
  readonly now?: number;
  readonly output: string;
}

/** `sallyport learn`: audit trail to a draft of policies. */
export function learnCommand(): Command {
  return new Command("learn")
    .summary("draft policies from what an audit trail let pass")
    .description("Draft policies from what an audit trail let pass and no rule allows.")
    .argument("<log>", "the audit trail's file")
    .addOption(policiesOption())
    .option("-o, --out <dir>", "directory to write the draft to, next to the policy set or the policy set itself")
    .requiredOption("--owner <who>", "who answers for what is learnt: the `owner` of each policy", parseOwner)
    .option("--expires <time>", "after which the rules end, e.g. 12h, 90d", parseSpan, parseSpan("90d"))
    .option("--days <n>", "learn from the last days only (default: all there are)", parseNumber)
    .option("--min-count <n>", "leave out what was seen less often", parseNumber, 1)
    .option("--min-days <n>", "leave out what was seen on fewer days", parseNumber, 1)
    .option("--path-values <n>", "so many different segments at one place of a path become {*}", parseNumber, 20)
    .option("--wildcard-hosts <n>", "so many hosts with one parent become *.PARENT (default: never)", parseNumber)
    .option("--now <time>", "judge as of this instant (RFC 3339) instead of the present", parseInstant)
    .addOption(longOutputOption(["human", "json"]))
    .addHelpText("after", HELP)
    .action(run);
}

async function run(file: string, options: LearnCommandOptions): Promise<void> {
  const loaded = await requireSet(options.policies, options.output, true);
  if (loaded === null) return;
  const nowMs = options.now ?? Date.now();
  const { minCount, minDays, owner, out = null } = options;
  const learner = createLearner(
    { ...loaded, canon: createCanonicaliser(loaded.module) },
    {
      ...{ nowMs, owner, minCount, minDays },
      expiresMs: nowMs + options.expires,
      mostLiterals: options.pathValues,
      wildcardHosts: options.wildcardHosts ?? null,
    },
  );
  const read = await readRecordedRequests({ file, days: options.days ?? null, nowMs }, learner.add);
  if (read === null) return;
  const finished = learner.finish();
  if (!finished.ok) {
    printFailure(
      finished.message,
      "nothing was written; learn from fewer days, or ask for more evidence with --min-count",
    );
    process.exitCode = EXIT.failure;
    return;
  }
  if (out !== null && !(await write(out, finished.value))) return;
  if (options.output === "json") printJson(learnJson(finished.value, read, out));
  else printLearnt(finished.value, read, out);
  if (read.unreadable > 0) {
    process.stderr.write(
      `${count(read.unreadable, "line")} of the trail cannot be read; run: sallyport audit verify ${file}\n`,
    );
  }
}

/** Writes the services first: a policy is not valid before them. Overwrites nothing. */
async function write(out: string, { files, services }: Learnt): Promise<boolean> {
  const first = new Set(services.map((each) => each.file));
  const inOrder: LearntFile[] = [
    ...files.filter(({ path }) => first.has(path)),
    ...files.filter(({ path }) => !first.has(path)),
  ];
  const taken = inOrder.find(({ path }) => existsSync(join(out, path)));
  if (taken !== undefined) {
    printFailure(`${join(out, taken.path)} exists already`, "name a directory without an earlier draft");
    process.exitCode = EXIT.failure;
    return false;
  }
  try {
    for (const { path, text } of inOrder) {
      await mkdir(dirname(join(out, path)), { recursive: true });
      await writeFile(join(out, path), text, { flag: "wx" });
    }
    return true;
  } catch (error) {
    printFailure(error instanceof Error ? error.message : String(error), null);
    process.exitCode = EXIT.failure;
    return false;
  }
}

function parseOwner(text: string): string {
  const parsed = line.safeParse(text);
  if (!parsed.success) throw new InvalidArgumentError("write one line, such as an address or the name of a team.");
  return text;
}

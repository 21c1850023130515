import { Command, Option } from "commander";
import { type Difference, diff } from "../analyze/diff/diff.ts";
import type { ReplayReport } from "../analyze/replay/replay.ts";
import { printDiffJson } from "./diff/json.ts";
import { printMarkdown } from "./diff/markdown.ts";
import type { Compared } from "./diff/read.ts";
import { readDifference } from "./diff/read.ts";
import { printDifference } from "./diff/text.ts";
import { EXIT } from "./exit-code.ts";
import { outputOption, parseInstant } from "./output.ts";
import { createRevisionReader, REVISION_HELP } from "./policy-revision.ts";

const HELP = `
OLD and NEW are policies: ${REVISION_HELP}.

Tells exactly which requests change: whose, to which hosts and ports, by which methods, paths, headers and upgrades, from
when on. What is allowed that was denied (widening) and what is denied that was allowed stand apart, and so does what
changes only once report mode is enforced. Nothing is sampled: where rules, services, groups and settings are the same, so
is every decision; elsewhere requests are taken apart by all that the rules of both sides look at, and one of each kind is
decided by the engine, under both. Each class comes with such a request for \`sallyport check\`.

Examples:
  sallyport diff HEAD:policies policies
  sallyport diff main:policies policies --fail-on widening --output markdown > change.md
  sallyport diff old.bundle new.bundle --output json
  sallyport diff HEAD:policies policies --replay /var/log/sallyport/audit.jsonl

Exit codes: 0 compared, 5 something changes that --fail-on names (or cannot be told), 3 policies are invalid, 1 something
cannot be read, 64 wrong options.`;

const FAIL_ON = ["change", "widening", "never"] as const;

interface DiffOptions {
  readonly at?: number;
  readonly replay?: string;
  readonly failOn: (typeof FAIL_ON)[number];
  readonly output: string;
}

/** `sallyport diff`: which requests two revisions decide differently. */
export function diffCommand(): Command {
  return new Command("diff")
    .summary("tell exactly which requests two revisions decide differently")
    .description("Tell exactly which requests two revisions of the policies decide differently.")
    .argument("<old>", "the policies before")
    .argument("<new>", "the policies after")
    .option("--at <time>", "compare from this instant on (RFC 3339) instead of from the present on", parseInstant)
    .option("--replay <log>", "an audit file: also how many requests on record change")
    .addOption(
      new Option("--fail-on <what>", "exit 5 on any changed effect, or only on what is allowed that was denied")
        .choices(FAIL_ON)
        .default("never"),
    )
    .addOption(outputOption(["human", "json", "markdown"]))
    .addHelpText("after", HELP)
    .action(run);
}

async function run(oldName: string, newName: string, options: DiffOptions): Promise<void> {
  const readRevision = createRevisionReader(options.output);
  const old = await readRevision(oldName);
  if (old === null) return;
  const now = await readRevision(newName);
  if (now === null) return;
  const atMs = options.at ?? Date.now();
  const difference = diff(old, now, atMs);
  let replay: ReplayReport | null = null;
  if (options.replay !== undefined) {
    const { replayLog } = await import("./replay/replay-log.ts");
    const replayed = await replayLog(options.replay, now, [old], { fromMs: null, toMs: null });
    if (replayed === null) return;
    replay = replayed.report;
  }
  process.exitCode = exitCode(difference, options.failOn);
  const compared: Compared = { old, now, atMs, difference: readDifference(difference, old, now), replay };
  if (options.output === "json") printDiffJson(compared);
  else if (options.output === "markdown") printMarkdown(compared);
  else printDifference(compared);
}

function exitCode({ classes, unproved }: Difference, failOn: DiffOptions["failOn"]): number {
  if (failOn === "never") return EXIT.ok;
  const changes = classes.map(({ box }) => box.change);
  const counted = changes.includes("widening") || (failOn === "change" && changes.includes("narrowing"));
  // What was not looked at to the end may hold anything.
  return counted || unproved.length > 0 ? EXIT.differs : EXIT.ok;
}

import { Command, Option } from "commander";
import type { ReplayReport } from "../analyze/replay/replay.ts";
import { EXIT } from "./exit-code.ts";
import { outputOption, parseInstant, printJson } from "./output.ts";
import { createRevisionReader, type PolicyRevision, REVISION_HELP } from "./policy-revision.ts";
import { replayJson } from "./replay/json.ts";
import { replayLog } from "./replay/replay-log.ts";
import { printReplay } from "./replay/text.ts";

const HELP = `
LOG is an audit file; its closed files LOG.000001, LOG.000002.zst, … are read with it. Policies are ${REVISION_HELP}.

Each request on record is decided again, as of its own time. With --was also under the policies that decided it then: it
must come out as recorded, and how it does narrows down what is not on record. Queries and most headers are not: an
answer that hangs on one of them is told as such, never guessed. A request counts as one that does not upgrade unless its
record says otherwise. Whether the trail is as it was written: sallyport audit verify.

Examples:
  sallyport replay /var/log/sallyport/audit.jsonl --policies policies
  sallyport replay audit.jsonl --policies policies --was HEAD~1:policies --fail-on widening
  sallyport replay audit.jsonl --policies new.bundle --from 2026-11-01T00:00:00Z --output json

Exit codes: 0 decided, 5 something changed that --fail-on names, 1 the trail cannot be read or a request does not come out
as recorded under its own policies (a fault of ours), 3 policies are invalid, 64 wrong options.`;

const FAIL_ON = ["change", "widening", "never"] as const;

interface ReplayOptions {
  readonly policies: string;
  readonly was?: readonly string[];
  readonly from?: number;
  readonly to?: number;
  readonly failOn: (typeof FAIL_ON)[number];
  readonly output: string;
}

/** `sallyport replay`: recorded requests under other policies. */
export function replayCommand(): Command {
  return new Command("replay")
    .summary("decide recorded requests again under other policies")
    .description("Decide recorded requests again under other policies, and say what changes.")
    .argument("<log>", "the audit file")
    .option("--policies <policies>", "the policies to decide by", "./policies")
    .option("--was <policies...>", "the policies that decided then; several where they changed meanwhile")
    .option("--from <time>", "only requests of this time or later (RFC 3339)", parseInstant)
    .option("--to <time>", "only requests of this time or earlier", parseInstant)
    .addOption(
      new Option("--fail-on <what>", "exit 5 on any changed effect, or only on requests allowed now that were denied")
        .choices(FAIL_ON)
        .default("never"),
    )
    .addOption(outputOption(["human", "json"]))
    .addHelpText("after", HELP)
    .action(run);
}

async function run(log: string, options: ReplayOptions): Promise<void> {
  const readRevision = createRevisionReader(options.output);
  const now = await readRevision(options.policies);
  if (now === null) return;
  const was: PolicyRevision[] = [];
  for (const each of options.was ?? []) {
    const revision = await readRevision(each);
    if (revision === null) return;
    was.push(revision);
  }
  const { from = null, to = null } = options;
  const replay = await replayLog(log, now, was, { fromMs: from, toMs: to });
  if (replay === null) return;
  const { report, unreadable } = replay;
  process.exitCode = exitCode(report, options.failOn);
  if (options.output === "json") printJson(replayJson(report, unreadable));
  else printReplay(report, unreadable, { now: now.name, log });
}

function exitCode({ failed, changed }: ReplayReport, failOn: ReplayOptions["failOn"]): number {
  if (failed > 0) return EXIT.failure;
  if (failOn === "never") return EXIT.ok;
  const counted = changed.widening + (failOn === "change" ? changed.narrowing : 0);
  return counted > 0 ? EXIT.differs : EXIT.ok;
}

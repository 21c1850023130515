import { existsSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { startChild, waitUntil } from "../../src/cli/demo/process.ts";
import { allows, connectTo, RULES, serveArgs } from "./checks.ts";
import { median } from "./median.ts";
import { table } from "./page.ts";
import { writePolicyText } from "./policy-text.ts";
import { shapeOf, syntheticSet } from "./synthetic-set.ts";

const RESTARTS = 9;

/**
 * The section of docs/benchmarks.md about how soon the built program, killed and started again, allows what its policies allow.
 * @param say told of each step
 */
export async function restarting(say: (step: string) => void): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), "sallyport-bench-"));
  try {
    const policies = join(directory, "policies");
    await writePolicyText(syntheticSet(shapeOf(RULES)), policies);
    const state = join(directory, "state");
    const arms = [
      { name: "nothing is kept", flags: [], ms: [] as number[] },
      { name: "`state` keeps what was compiled", flags: ["--state", state], ms: [] as number[] },
    ];
    await untilAllowed(directory, policies, ["--state", state], () => existsSync(join(state, "policies.kept")));
    for (let n = 0; n < RESTARTS; n += 1) {
      say(`restart ${n + 1} of ${RESTARTS}`);
      for (const { flags, ms } of arms) ms.push(await untilAllowed(directory, policies, flags));
    }
    const rows = arms.map(({ name, ms }) => [
      name,
      ...[Math.min(...ms), median(ms), Math.max(...ms)].map((each) => `${each.toFixed(0)} ms`),
    ]);
    return `## Restarting
The built program with 10,000 rules and an audit file, killed with SIGKILL and started again: from the start of the process to the first Check that is allowed. ${RESTARTS} restarts of each, in turn.

${table(["", "least", "median", "most"], rows)}

Goal: within a second where \`state\` is set.
`;
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

/** Milliseconds. `also` = what is waited for before the end, if anything. */
async function untilAllowed(
  directory: string,
  policies: string,
  flags: readonly string[],
  also = () => true,
): Promise<number> {
  const more = ["--audit-to", join(directory, "audit.jsonl"), ...flags];
  const args = serveArgs(directory, "s", policies, more);
  const begun = performance.now();
  const child = startChild(process.execPath, args);
  try {
    await waitUntil("a Check allowed", () => isAllowed(directory), 60_000, child);
    const ms = performance.now() - begun;
    await waitUntil("what is kept", also, 60_000, child);
    return ms;
  } finally {
    await child.stop("SIGKILL");
  }
}

/** By a client of its own each time: one that found nobody would wait before it tries again. */
async function isAllowed(directory: string): Promise<boolean> {
  const client = connectTo(directory, "s");
  try {
    return await allows(client);
  } finally {
    client.close();
  }
}

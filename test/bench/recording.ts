import { mkdtemp, open, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { waitUntil } from "../../src/cli/demo/process.ts";
import { allows, load, RULES, startNamed, WARM } from "./checks.ts";
import { median } from "./median.ts";
import { askApart } from "./overload/ask.ts";
import { quantile } from "./paced.ts";
import { table } from "./page.ts";
import { writePolicyText } from "./policy-text.ts";
import { checksASecond, microsecondsACheck, ratioText, type Spent, spend } from "./spent.ts";
import { shapeOf, syntheticSet } from "./synthetic-set.ts";

const MODES: readonly (readonly [string, readonly string[]])[] = [
  ["no trail", ["--audit-to", "none"]],
  ["drop", ["--audit-mode", "drop"]],
  ["batch", ["--audit-mode", "batch"]],
  ["strict", ["--audit-mode", "strict"]],
];
/** Ten seconds of each: until then V8 still compiles what the trail alone runs, and one start in five came out a quarter dearer for good. */
const WARM_UP = 100_000;
const STARTS = 5;
const ROUNDS = 5;
const SECONDS = 1;
const PACED_SECONDS = 3;
const CONNECTIONS = 8;
/** Longer than any answer takes, so that none is taken back. */
const TIMEOUT_MS = 5_000;

/** What the servers of one mode did. */
interface Kept {
  readonly spent: Spent[][];
  readonly p50: number[];
  readonly p99: number[];
}

/**
 * The section of docs/benchmarks.md about what recording costs in each mode, against no trail on the same disk.
 * @param say told of each step
 */
export async function recording(say: (step: string) => void): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), "sallyport-bench-"));
  try {
    const policies = join(directory, "policies");
    await writePolicyText(syntheticSet(shapeOf(RULES)), policies);
    const kept = MODES.map((): Kept => ({ spent: [], p50: [], p99: [] }));
    const syncs: number[] = [];
    for (let start = 0; start < STARTS; start += 1) {
      say(`start ${start + 1} of ${STARTS}`);
      await once(directory, policies, start, kept, syncs);
      say(MODES.map(([name], index) => `${name} ${costOf(kept, index)}`).join(", "));
    }
    return section(kept, syncs);
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

/** A server for each mode, asked in turn, every other time backwards. */
async function once(
  directory: string,
  policies: string,
  start: number,
  kept: readonly Kept[],
  syncs: number[],
): Promise<void> {
  const servers = startNamed(directory, policies, MODES);
  const asked = { connections: CONNECTIONS, timeout: TIMEOUT_MS };
  try {
    for (const { child, client } of servers) {
      await waitUntil("a server allowing", () => allows(client), 60_000, child);
      await load(client, WARM_UP, (i) => WARM[i % WARM.length] ?? Buffer.alloc(0));
      client.close();
    }
    const turn = servers.map(({ child, socket }, index) => ({ child, address: `unix:${socket}`, kept: kept[index] }));
    for (const each of kept) each.spent.push([]);
    for (let round = start; round < start + ROUNDS; round += 1) {
      for (const { child, address, kept } of round % 2 === 0 ? turn : turn.toReversed()) {
        kept?.spent.at(-1)?.push(await spend(child, address, { ...asked, "in-flight": 32, seconds: SECONDS }));
      }
    }
    for (const { address, kept: of } of start % 2 === 0 ? turn : turn.toReversed()) {
      const asking = askApart(address, { ...asked, "per-second": 1_000, since: "sent", seconds: PACED_SECONDS });
      // Beside the same load, on the server that leaves no trail: whatever else the machine does is in both.
      if (of === kept[0]) syncs.push(...(await fdatasyncTimes(join(directory, "probe"))));
      const { p50, p99 } = await asking;
      of?.p50.push(p50);
      of?.p99.push(p99);
    }
  } finally {
    for (const { client } of servers) client.close();
    await Promise.all(servers.map(({ child }) => child.stop()));
  }
}

/** As often as a trail in mode strict does it: a batch, then a pause. */
async function fdatasyncTimes(path: string): Promise<readonly number[]> {
  const file = await open(path, "a");
  const bytes = Buffer.alloc(4_096, 0x61);
  const times: number[] = [];
  for (let n = 0; n < 400; n += 1) {
    const begun = performance.now();
    await file.write(bytes);
    await file.datasync();
    times.push(performance.now() - begun);
    await sleep(5);
  }
  await file.close();
  return times;
}

/** What a mode costs, against no trail. */
function costOf(kept: readonly Kept[], mode: number): string {
  return ratioText(kept[mode]?.spent ?? [], kept[0]?.spent ?? [], microsecondsACheck);
}

function section(kept: readonly Kept[], syncs: readonly number[]): string {
  const none = kept[0]?.spent ?? [];
  const ms = (value: number): string => `${value.toFixed(2)} ms`;
  const rows = kept.map(({ spent, p50, p99 }, index) => [
    MODES[index]?.[0] ?? "",
    `${microsecondsACheck(spent.flat()).toFixed(1)} µs`,
    costOf(kept, index),
    Math.round(checksASecond(spent.flat())).toLocaleString("en"),
    ratioText(spent, none, checksASecond),
    ms(median(p50)),
    ms(median(p99)),
  ]);
  const syncP99 = quantile(syncs, 0.99);
  const times = (index: number): string => (median(kept.at(index)?.p99 ?? []) / syncP99).toFixed(1);
  return `## Recording
10,000 rules, warm cache, a server for each mode on the same disk, started ${STARTS} times, each asked over eight connections by a process of its own. CPU and Checks a second: 32 in flight, ${STARTS * ROUNDS} interleaved rounds of a second, all together; in brackets the least and the greatest of the starts.
Latency: at 1,000 Checks a second, whether or not answers come, from when each went out; medians of ${STARTS} interleaved rounds of three seconds.

${table(["`audit.mode`", "CPU a Check", "against no trail", "Checks a second", "against no trail", "p50", "p99"], rows)}

The disk's own \`fdatasync\` of 4 KiB, beside 1,000 Checks a second that leave no trail: p50 ${ms(quantile(syncs, 0.5))}, p99 ${ms(syncP99)}; strict's p99 is ${times(-1)} times that,
and no trail's is already ${times(0)} times that: most of both is the client and the machine. Goals: batch at most 1.10 ×; strict keeps 1,000 Checks a second with a p99 of at most 5 times \`fdatasync\`'s.
`;
}

import { mkdtemp, open, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { waitUntil } from "../../src/cli/demo/process.ts";
import { allows, cost, load, RULES, startNamed, WARM } from "./checks.ts";
import { median } from "./median.ts";
import { pacedFor, quantile } from "./paced.ts";
import { writePolicyText } from "./policy-text.ts";
import { shapeOf, syntheticSet } from "./synthetic-set.ts";

/** What recording costs in one mode. */
export interface RecordingCost {
  readonly mode: string;
  /** CPU microseconds a Check, and against no trail in the same round. */
  readonly microseconds: number;
  readonly ratio: number;
  /** Checks a second with 32 in flight, and against no trail in the same round. */
  readonly perSecond: number;
  readonly throughputRatio: number;
  /** Milliseconds from asking to the answer at 1,000 Checks a second. */
  readonly p50: number;
  readonly p99: number;
}

export interface RecordingFigures {
  readonly modes: readonly RecordingCost[];
  /** Of the same disk, beside 1,000 Checks a second that leave no trail: milliseconds to append 4 KiB and make them durable. */
  readonly fdatasyncP50: number;
  readonly fdatasyncP99: number;
}

const MODES: readonly (readonly [string, readonly string[]])[] = [
  ["no trail", ["--audit-to", "none"]],
  ["drop", ["--audit-mode", "drop"]],
  ["batch", ["--audit-mode", "batch"]],
  ["strict", ["--audit-mode", "strict"]],
];
const WARM_UP = 20_000;
const ROUNDS = 9;
const PACED_ROUNDS = 3;
const PACED_MS = 4_000;
const CHECKS = 15_000;

/** A server for each mode, on one disk, rounds interleaved. */
export async function measureRecording(): Promise<RecordingFigures> {
  const directory = await mkdtemp(join(tmpdir(), "sallyport-bench-"));
  const policies = join(directory, "policies");
  await writePolicyText(syntheticSet(shapeOf(RULES)), policies);
  const servers = startNamed(directory, policies, MODES);
  const warm = (i: number): Buffer => WARM[i % WARM.length] ?? Buffer.alloc(0);
  try {
    for (const { child, client } of servers) {
      await waitUntil("a server allowing", () => allows(client), 60_000, child);
      await load(client, WARM_UP, warm);
    }
    const cpu: number[][] = servers.map(() => []);
    const rate: number[][] = servers.map(() => []);
    for (let round = 0; round < ROUNDS; round += 1) {
      for (const [index, server] of servers.entries()) {
        const begun = performance.now();
        cpu[index]?.push(await cost(server, warm, CHECKS));
        rate[index]?.push(CHECKS / ((performance.now() - begun) / 1000));
      }
    }
    const latencies: number[][] = servers.map(() => []);
    const syncs: number[] = [];
    for (let round = 0; round < PACED_ROUNDS; round += 1) {
      // Beside the same load, seen by the same process: whatever else the machine does is in both.
      const [unrecorded] = servers;
      const beside = unrecorded === undefined ? [] : pacedFor(PACED_MS, unrecorded.client, warm);
      const [times] = await Promise.all([fdatasyncTimes(join(directory, "probe")), beside]);
      syncs.push(...times);
      for (const [index, { client }] of servers.entries())
        latencies[index]?.push(...(await pacedFor(PACED_MS, client, warm)));
    }
    const ratio = (values: readonly number[], base: readonly number[]) =>
      median(values.map((each, i) => each / (base[i] ?? each)));
    return {
      modes: servers.map(({ name: mode }, index) => ({
        mode,
        microseconds: median(cpu[index] ?? []),
        ratio: ratio(cpu[index] ?? [], cpu[0] ?? []),
        perSecond: median(rate[index] ?? []),
        throughputRatio: ratio(rate[index] ?? [], rate[0] ?? []),
        p50: quantile(latencies[index] ?? [], 0.5),
        p99: quantile(latencies[index] ?? [], 0.99),
      })),
      fdatasyncP50: quantile(syncs, 0.5),
      fdatasyncP99: quantile(syncs, 0.99),
    };
  } finally {
    for (const { client } of servers) client.close();
    await Promise.all(servers.map(({ child }) => child.stop()));
    await rm(directory, { recursive: true, force: true });
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

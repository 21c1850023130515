import { mkdtemp, open, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { waitUntil } from "../../src/cli/demo/process.ts";
import { allows, load, RULES, startNamed, WARM } from "./checks.ts";
import { median } from "./median.ts";
import { type AskFlags, askApart, decidedOf } from "./overload/ask.ts";
import type { Seen } from "./overload/seen.ts";
import { quantile } from "./paced.ts";
import { writePolicyText } from "./policy-text.ts";
import { cpuMicros } from "./process-usage.ts";
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
const ROUNDS = 15;
const SECONDS = 1.5;
const PACED_ROUNDS = 5;
const PACED_SECONDS = 3;
const CONNECTIONS = 8;
/** Longer than any answer takes, so that none is taken back. */
const TIMEOUT_MS = 5_000;

function ask(socket: string, flags: AskFlags): Promise<Seen> {
  return askApart(`unix:${socket}`, { connections: CONNECTIONS, timeout: TIMEOUT_MS, ...flags });
}

/** A server for each mode, on one disk, each asked from a process of its own, rounds interleaved and every other one backwards. */
export async function measureRecording(): Promise<RecordingFigures> {
  const directory = await mkdtemp(join(tmpdir(), "sallyport-bench-"));
  const policies = join(directory, "policies");
  await writePolicyText(syntheticSet(shapeOf(RULES)), policies);
  const servers = startNamed(directory, policies, MODES);
  const warm = (i: number): Buffer => WARM[i % WARM.length] ?? Buffer.alloc(0);
  const order = servers.map((_, index) => index);
  try {
    for (const { child, client } of servers) {
      await waitUntil("a server allowing", () => allows(client), 60_000, child);
      await load(client, WARM_UP, warm);
      client.close();
    }
    const cpu: number[][] = servers.map(() => []);
    const rate: number[][] = servers.map(() => []);
    for (let round = 0; round < ROUNDS; round += 1) {
      for (const index of round % 2 === 0 ? order : order.toReversed()) {
        const { socket = "", child } = servers[index] ?? {};
        const pid = child?.process.pid ?? 0;
        const before = await cpuMicros(pid);
        const seen = await ask(socket, { "in-flight": 32, seconds: SECONDS });
        cpu[index]?.push(((await cpuMicros(pid)) - before) / seen.asked);
        rate[index]?.push(decidedOf(seen) / seen.seconds);
      }
    }
    const paced: Seen[][] = servers.map(() => []);
    const syncs: number[] = [];
    for (let round = 0; round < PACED_ROUNDS; round += 1) {
      for (const index of round % 2 === 0 ? order : order.toReversed()) {
        const asking = ask(servers[index]?.socket ?? "", {
          "per-second": 1_000,
          since: "sent",
          seconds: PACED_SECONDS,
        });
        // Beside the same load, on the server that leaves no trail: whatever else the machine does is in both.
        if (index === 0) syncs.push(...(await fdatasyncTimes(join(directory, "probe"))));
        paced[index]?.push(await asking);
      }
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
        p50: median((paced[index] ?? []).map((each) => each.p50)),
        p99: median((paced[index] ?? []).map((each) => each.p99)),
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

import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { waitUntil } from "../../../src/cli/demo/process.ts";
import { allows, load, RULES, startNamed, WARM } from "../checks.ts";
import { median } from "../median.ts";
import { writePolicyText } from "../policy-text.ts";
import { shapeOf, syntheticSet } from "../synthetic-set.ts";
import { askApart, decidedOf } from "./ask.ts";
import type { Seen } from "./seen.ts";

/** Checks a second that a server answers over so many connections when it is asked as fast as it answers. */
export interface Capacity {
  readonly server: string;
  readonly connections: number;
  readonly perSecond: number;
}

/** What a server did under a load. Shares are of what was asked. */
export interface UnderLoad {
  readonly server: string;
  readonly connections: number;
  /** Times what it can answer. */
  readonly times: number;
  /** Answers in time a second, against what the same server can answer over as many connections, taken within each round. */
  readonly goodPut: number;
  readonly p50: number;
  readonly p99: number;
  readonly refused: number;
  readonly refusedP99: number;
  readonly late: number;
  /** Never sent, since as many were under way as the server lets a connection have. */
  readonly held: number;
}

export interface OverloadFigures {
  readonly capacities: readonly Capacity[];
  readonly loads: readonly UnderLoad[];
}

const SERVERS: readonly (readonly [string, readonly string[]])[] = [
  ["refuses what it cannot answer in time", []],
  ["takes on all", ["--overload-max-wait", "1h", "--overload-max-in-flight", "1000000"]],
];
/** Connections as one gateway has them, and more than the server can give streams to that keep it from being asked too much; times what it can answer. */
const LOADS: readonly (readonly [connections: number, times: readonly number[]])[] = [
  [8, [0.5, 1, 3, 5]],
  [400, [1, 3]],
];
const ROUNDS = 3;
const SECONDS = 5;
/** Under way at once when it is found what a server can answer. */
const IN_FLIGHT = 256;
/** Envoy's, unless told otherwise. */
const TIMEOUT_MS = 250;
const WARM_UP = 20_000;

function ask(address: string, flags: Readonly<Record<string, number>>): Promise<Seen> {
  return askApart(address, { seconds: SECONDS, timeout: TIMEOUT_MS, ...flags });
}

/** Of a server over so many connections, what each round found. */
interface Rounds {
  readonly server: string;
  readonly connections: number;
  readonly capacities: number[];
  readonly loads: readonly { readonly times: number; readonly seen: (Seen & { readonly ratio: number })[] }[];
}

/** A server that refuses and one that takes on all, each asked from a process of its own: as fast as it answers, then at multiples of that whether or not answers come. Rounds are interleaved. */
export async function measureOverload(progress: (step: string) => void): Promise<OverloadFigures> {
  const directory = await mkdtemp(join(tmpdir(), "sallyport-bench-"));
  const policies = join(directory, "policies");
  await writePolicyText(syntheticSet(shapeOf(RULES)), policies);
  const servers = startNamed(directory, policies, SERVERS);
  const warm = (i: number): Buffer => WARM[i % WARM.length] ?? Buffer.alloc(0);
  try {
    for (const { child, client } of servers) {
      await waitUntil("a server allowing", () => allows(client), 60_000, child);
      await load(client, WARM_UP, warm);
      // Its own client is done: a connection that does nothing else but wait is none of the load.
      client.close();
    }
    const asked = servers.map(({ socket, name }) => ({
      ...{ address: `unix:${socket}`, name },
      over: LOADS.map(([connections, all]): Rounds => {
        const loads = all.map((times) => ({ times, seen: [] }));
        return { server: name, connections, capacities: [], loads };
      }),
    }));
    for (let round = 0; round < ROUNDS; round += 1) {
      for (const { address, name, over } of asked) {
        progress(`round ${round + 1} of ${ROUNDS}: a server that ${name}`);
        for (const each of over) await oneRound(address, each);
      }
    }
    const all = asked.flatMap(({ over }) => over);
    return {
      capacities: all.map(({ server, connections, capacities }) => ({
        ...{ server, connections },
        perSecond: median(capacities),
      })),
      loads: all.flatMap((each) => each.loads.map(({ times, seen }) => underLoad(each, times, seen))),
    };
  } finally {
    for (const { client } of servers) client.close();
    await Promise.all(servers.map(({ child }) => child.stop()));
    await rm(directory, { recursive: true, force: true });
  }
}

async function oneRound(address: string, { connections, capacities, loads }: Rounds): Promise<void> {
  const atMost = await ask(address, { connections, "in-flight": IN_FLIGHT });
  const capacity = decidedOf(atMost) / atMost.seconds;
  capacities.push(capacity);
  for (const { times, seen } of loads) {
    const under = await ask(address, { connections, "per-second": Math.round(capacity * times) });
    seen.push({ ...under, ratio: decidedOf(under) / under.seconds / capacity });
  }
}

function underLoad(
  { server, connections }: Rounds,
  times: number,
  rounds: readonly (Seen & { readonly ratio: number })[],
): UnderLoad {
  const of = (read: (round: (typeof rounds)[number]) => number): number => median(rounds.map(read));
  return {
    ...{ server, connections, times },
    goodPut: of(({ ratio }) => ratio),
    p50: of(({ p50 }) => p50),
    p99: of(({ p99 }) => p99),
    refused: of(({ outcomes, asked }) => (outcomes.status + outcomes.refused) / asked),
    refusedP99: of(({ refusedP99 }) => refusedP99),
    late: of(({ outcomes, asked }) => outcomes.late / asked),
    held: of(({ outcomes, asked }) => outcomes.held / asked),
  };
}

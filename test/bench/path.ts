import { execFile } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { accepts, freePorts, startChild, waitUntil } from "../../src/cli/demo/process.ts";
import { RULES, SHIPPED_FLAGS } from "./checks.ts";
import { median } from "./median.ts";
import { askApart, decidedOf } from "./overload/ask.ts";
import type { Seen } from "./overload/seen.ts";
import { table } from "./page.ts";
import { writePolicyText } from "./policy-text.ts";
import { cpuMicros } from "./process-usage.ts";
import { shapeOf, syntheticSet } from "./synthetic-set.ts";

const ROUNDS = 5;
const SECONDS = 2;
const PER_SECOND = 1_000;
const CONNECTIONS = [1, 8];
const SERVERS = ["bare", "no trail", "batch"] as const;
type Server = (typeof SERVERS)[number];

const run = promisify(execFile);
const at = (name: string): string => new URL(name, import.meta.url).pathname;

/** What one server did in one round. */
interface Round {
  readonly cpu: number;
  readonly perSecond: number;
  readonly p99: number;
}

/**
 * The section of docs/benchmarks.md about the way between socket and decision: `serve` against a bare handler on the same Node, over Unix sockets and TCP, on one connection and on several.
 * `nodes` = programs; this one's own where there are none. @param say told of each step
 */
export async function path(nodes: readonly string[], say: (step: string) => void): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), "sallyport-bench-"));
  try {
    const policies = join(directory, "policies");
    await writePolicyText(syntheticSet(shapeOf(RULES)), policies);
    const rows: string[][] = [];
    for (const node of nodes.length === 0 ? [process.execPath] : nodes) {
      const version = (await run(node, ["--version"])).stdout.trim();
      for (const transport of ["Unix socket", "TCP"] as const) {
        const rounds = await measure(node, transport, join(directory, `${rows.length}`), policies, (step) =>
          say(`${version}, ${transport}: ${step}`),
        );
        for (const connections of CONNECTIONS) rows.push(...rowsOf(version, transport, connections, rounds));
      }
    }
    const head = ["Node", "over", "connections", "server", "CPU a Check", "of bare", "Checks a second, of bare"];
    return `## Path
What lies between socket and decision: \`serve\` with 10,000 rules, a warm cache and its Node flag against a bare grpc-js handler that always allows, both without TLS, asked by a process of its own with 32 Checks in flight;
p99 at 1,000 Checks a second. Medians of ${ROUNDS} interleaved rounds of ${SECONDS} seconds, ratios within each round.

${table([...head, "p99", "of bare"], rows)}

Goals: with the trail in mode \`batch\` at most 1.20 times the CPU of the bare handler, and at most 1.10 times that of no trail; at least 0.85 times its Checks a second; at most 1.30 times its p99.
`;
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

type Rounds = ReadonlyMap<string, readonly Round[]>;

function keyOf(server: Server, connections: number): string {
  return `${server} ${connections}`;
}

function rowsOf(version: string, transport: string, connections: number, rounds: Rounds): string[][] {
  const of = (server: Server): readonly Round[] => rounds.get(keyOf(server, connections)) ?? [];
  const bare = of("bare");
  return SERVERS.map((server) => {
    const own = of(server);
    const middle = (read: (round: Round) => number): number => median(own.map(read));
    const ratio = (read: (round: Round) => number): string =>
      `${median(own.map((round, index) => read(round) / read(bare[index] ?? round))).toFixed(2)} ×`;
    return [
      version,
      transport,
      `${connections}`,
      server === "bare" ? "bare handler" : `serve, ${server}`,
      `${middle(({ cpu }) => cpu).toFixed(1)} µs`,
      ratio(({ cpu }) => cpu),
      ratio(({ perSecond }) => perSecond),
      `${middle(({ p99 }) => p99).toFixed(2)} ms`,
      ratio(({ p99 }) => p99),
    ];
  });
}

async function measure(
  node: string,
  transport: "Unix socket" | "TCP",
  prefix: string,
  policies: string,
  say: (step: string) => void,
): Promise<Rounds> {
  const ports = await freePorts(SERVERS.length);
  const servers = SERVERS.map((server, index) => {
    const address = transport === "TCP" ? `127.0.0.1:${ports[index]}` : `unix:${prefix}-${index}`;
    return { server, address, child: startChild(node, argsOf(server, address, policies, `${prefix}-${index}.jsonl`)) };
  });
  const rounds = new Map<string, Round[]>();
  try {
    for (const { address, child } of servers) {
      await waitUntil("a server answering", () => answers(address), 60_000, child);
      await ask(address, { connections: 8, "in-flight": 32, seconds: 5 });
    }
    for (let round = 0; round < ROUNDS; round += 1) {
      say(`round ${round + 1} of ${ROUNDS}`);
      for (const connections of CONNECTIONS) {
        for (const { server, address, child } of round % 2 === 0 ? servers : servers.toReversed()) {
          const key = keyOf(server, connections);
          rounds.set(key, [
            ...(rounds.get(key) ?? []),
            await measureRound(address, connections, child.process.pid ?? 0),
          ]);
        }
      }
    }
    return rounds;
  } finally {
    await Promise.all(servers.map(({ child }) => child.stop()));
  }
}

async function measureRound(address: string, connections: number, pid: number): Promise<Round> {
  const before = await cpuMicros(pid);
  const full = await ask(address, { connections, "in-flight": 32, seconds: SECONDS });
  const cpu = ((await cpuMicros(pid)) - before) / full.asked;
  const paced = await ask(address, { connections, "per-second": PER_SECOND, seconds: SECONDS });
  return { cpu, perSecond: decidedOf(full) / full.seconds, p99: paced.p99 };
}

function argsOf(server: Server, address: string, policies: string, trail: string): readonly string[] {
  if (server === "bare") return [at("bare-server.ts"), address];
  const flags = { policies, listen: address, admin: "none", "log-level": "error", "drain-wait": "0ms" };
  const to = { "audit-to": server === "batch" ? trail : "none" };
  const args = Object.entries({ ...flags, ...to }).flatMap(([name, value]) => [`--${name}`, value]);
  return [...SHIPPED_FLAGS, at("../../src/cli/main.ts"), "serve", ...args];
}

/** Longer than any answer takes, so that none is taken back. */
const TIMEOUT_MS = 5_000;

function ask(address: string, flags: Readonly<Record<string, number>>): Promise<Seen> {
  return askApart(address, { ...flags, timeout: TIMEOUT_MS });
}

/** Not before its policies are loaded: until then nothing is allowed. */
async function answers(address: string): Promise<boolean> {
  const [host = "", port = ""] = address.split(":");
  if (host !== "unix" && !(await accepts(Number(port)))) return false;
  const seen = await ask(address, { connections: 1, "in-flight": 1, seconds: 0.05 }).catch(() => null);
  return (seen?.outcomes.allowed ?? 0) > 0;
}

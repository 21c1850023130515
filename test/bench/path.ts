import { execFile } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { freePorts } from "../../src/cli/demo/ports.ts";
import { accepts, startChild, waitUntil } from "../../src/cli/demo/process.ts";
import { BUILT_MAIN } from "./built.ts";
import { RULES, SHIPPED_FLAGS } from "./checks.ts";
import { median } from "./median.ts";
import { askApart } from "./overload/ask.ts";
import type { Seen } from "./overload/seen.ts";
import { table } from "./page.ts";
import { writePolicyText } from "./policy-text.ts";
import { checksASecond, microsecondsACheck, ratioText, type Spent, spend } from "./spent.ts";
import { shapeOf, syntheticSet } from "./synthetic-set.ts";

const STARTS = 2;
const ROUNDS = 3;
const SECONDS = 1;
const PER_SECOND = 1_000;
const CONNECTIONS = [1, 8];
const SERVERS = ["bare", "no trail", "batch"] as const;
type Server = (typeof SERVERS)[number];

const run = promisify(execFile);
const at = (name: string): string => new URL(name, import.meta.url).pathname;

/** What the servers of one kind did, asked over so many connections. */
interface Kept {
  readonly spent: Spent[][];
  readonly p99: number[];
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
        const kept = await measure(node, transport, join(directory, `${rows.length}`), policies, (step) =>
          say(`${version}, ${transport}: ${step}`),
        );
        for (const connections of CONNECTIONS) rows.push(...rowsOf(version, transport, connections, kept));
      }
    }
    const head = ["Node", "over", "connections", "server", "CPU a Check", "of bare", "Checks a second, of bare"];
    return `## Path
What lies between socket and decision: \`serve\` with 10,000 rules, a warm cache and its Node flag against a bare grpc-js handler that always allows, both without TLS, asked by a process of its own with 32 Checks in flight;
each started ${STARTS} times, ${ROUNDS} interleaved rounds of a second for each start, all together; in brackets the least and the greatest of the starts.
p99 at 1,000 Checks a second, medians of as many rounds.

${table([...head, "p99", "of bare"], rows)}

Goals: with the trail in mode \`batch\` at most 1.20 times the CPU of the bare handler, and at most 1.10 times that of no trail; at least 0.85 times its Checks a second; at most 1.30 times its p99.
`;
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

type AllKept = ReadonlyMap<string, Kept>;

function keyOf(server: Server, connections: number): string {
  return `${server} ${connections}`;
}

function rowsOf(version: string, transport: string, connections: number, all: AllKept): string[][] {
  const of = (server: Server): Kept => all.get(keyOf(server, connections)) ?? { spent: [], p99: [] };
  const bare = of("bare");
  return SERVERS.map((server) => {
    const { spent, p99 } = of(server);
    return [
      version,
      transport,
      `${connections}`,
      server === "bare" ? "bare handler" : `serve, ${server}`,
      `${microsecondsACheck(spent.flat()).toFixed(1)} µs`,
      ratioText(spent, bare.spent, microsecondsACheck),
      ratioText(spent, bare.spent, checksASecond),
      `${median(p99).toFixed(2)} ms`,
      `${(median(p99) / median(bare.p99)).toFixed(2)} ×`,
    ];
  });
}

async function measure(
  node: string,
  transport: "Unix socket" | "TCP",
  prefix: string,
  policies: string,
  say: (step: string) => void,
): Promise<AllKept> {
  const all = new Map<string, Kept>();
  for (const server of SERVERS) {
    for (const connections of CONNECTIONS) all.set(keyOf(server, connections), { spent: [], p99: [] });
  }
  for (let start = 0; start < STARTS; start += 1) {
    say(`start ${start + 1} of ${STARTS}`);
    await once(node, transport, `${prefix}-${start}`, policies, all);
  }
  return all;
}

/** Starts each kind of server and asks them in turn, every other time backwards. */
async function once(
  node: string,
  transport: "Unix socket" | "TCP",
  prefix: string,
  policies: string,
  all: AllKept,
): Promise<void> {
  const ports = await freePorts(SERVERS.length);
  const servers = SERVERS.map((server, index) => {
    const address = transport === "TCP" ? `127.0.0.1:${ports[index]}` : `unix:${prefix}-${index}`;
    return { server, address, child: startChild(node, argsOf(server, address, policies, `${prefix}-${index}.jsonl`)) };
  });
  try {
    for (const { address, child } of servers) {
      await waitUntil("a server answering", () => answers(address), 60_000, child);
      await ask(address, { connections: 8, "in-flight": 32, seconds: 4 });
    }
    for (const { spent } of all.values()) spent.push([]);
    for (let round = 0; round < ROUNDS; round += 1) {
      for (const connections of CONNECTIONS) {
        for (const { server, address, child } of round % 2 === 0 ? servers : servers.toReversed()) {
          const kept = all.get(keyOf(server, connections));
          const full = { connections, "in-flight": 32, seconds: SECONDS, timeout: TIMEOUT_MS };
          kept?.spent.at(-1)?.push(await spend(child, address, full));
          kept?.p99.push((await ask(address, { connections, "per-second": PER_SECOND, seconds: SECONDS })).p99);
        }
      }
    }
  } finally {
    await Promise.all(servers.map(({ child }) => child.stop()));
  }
}

function argsOf(server: Server, address: string, policies: string, trail: string): readonly string[] {
  if (server === "bare") return [at("bare-server.ts"), address];
  const flags = { policies, listen: address, admin: "none", "log-level": "error", "drain-wait": "0ms" };
  const to = { "audit-to": server === "batch" ? trail : "none" };
  const args = Object.entries({ ...flags, ...to }).flatMap(([name, value]) => [`--${name}`, value]);
  return [...SHIPPED_FLAGS, BUILT_MAIN, "serve", ...args];
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

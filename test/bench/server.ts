import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Client, credentials, type MethodDefinition } from "@grpc/grpc-js";
import { type Child, startChild, waitUntil } from "../../src/cli/demo/process.ts";
import type { CheckInput } from "../../src/pdp/decision.ts";
import { loadProtos } from "../../src/server/load-protos.ts";
import type { CheckRequestMessage } from "../../src/server/wire.ts";
import { syntheticQuestion } from "./engine.ts";
import { writePolicyText } from "./policy-text.ts";
import { hostOf, shapeOf, syntheticSet, workloadOf } from "./synthetic-set.ts";

/** CPU of the server process for each Check, medians of the rounds. */
export interface Cost {
  readonly microseconds: number;
  /** Against the bare handler of the same round: other users of the machine slow both down. */
  readonly ratio: number;
}

/** What each kind of server costs. */
export type ServerFigures = Readonly<Record<keyof Round, Cost>>;

/** CPU microseconds a Check. */
interface Round {
  readonly bare: number;
  /** The same handler with the flags that sallyport is shipped with. */
  readonly bareTuned: number;
  /** The cache holds every question. */
  readonly warm: number;
  /** The same sort of questions, of which the cache can hold hardly any: each is decided anew. */
  readonly cold: number;
  /** No question comes twice and nearly all are denied, each denial with a page of its own to render. */
  readonly strangers: number;
}

/** What the container image starts Node with: room for short-lived objects, the larger part of serving's cost. */
const SHIPPED_FLAGS = ["--max-semi-space-size=64"];
const RULES = 10_000;
const WARM_UP = 20_000;
const CHECKS = 5_000;
const ROUNDS = 15;
const IN_FLIGHT = 32;
/** /proc counts CPU time in hundredths of a second. */
const TICKS_PER_SECOND = 100;

const check = loadProtos().authorizationClient.Check as MethodDefinition<CheckRequestMessage, unknown>;

function encode(input: CheckInput): Buffer {
  const header_map = {
    headers: [
      [":authority", input.host],
      [":method", input.method],
      [":path", input.path],
      [":scheme", "https"],
      ["user-agent", "bench/1.0"],
      ["x-request-id", "5e9f1c2a-7f3f-4c35-9c1e-0d8f0a4f3b11"],
      ["x-forwarded-proto", "https"],
    ].map(([key = "", value = ""]) => ({ key, raw_value: Buffer.from(value) })),
  };
  const { host, method, path } = input;
  return check.requestSerialize({
    attributes: {
      source: { principal: input.principal },
      destination: { principal: "spiffe://cluster.local/ns/istio-egress/sa/egress" },
      request: { http: { id: "1234567890", method, path, host, header_map } },
      context_extensions: { "sallyport.port": "80" },
    },
  } as CheckRequestMessage);
}

/** 256 questions that come again and again: the cache answers. */
const WARM = Array.from({ length: 256 }, (_, i) => encode(syntheticQuestion(RULES, i)));

/** As many again, far more than the small cache holds. */
const POOL = Array.from({ length: 8_192 }, (_, i) => encode(syntheticQuestion(RULES, i)));

/** Questions that never come twice: each pair of workload and host once. */
function* coldQuestions(): Generator<Buffer> {
  const shape = shapeOf(RULES);
  for (let i = 0; ; i++) {
    const { namespace, serviceAccount } = workloadOf(i % shape.workloads);
    const host = hostOf(Math.floor(i / shape.workloads) % shape.services);
    const principal = `spiffe://cluster.local/ns/${namespace}/sa/${serviceAccount}`;
    yield encode({ kind: "http", principal, host, port: "80", method: "GET", path: `/v1/${i}`, headers: [] });
  }
}

async function cpuTicks(pid: number): Promise<number> {
  const fields = (await readFile(`/proc/${pid}/stat`, "utf8")).split(") ")[1]?.split(" ") ?? [];
  return Number(fields[11]) + Number(fields[12]);
}

/** Sends `count` questions with so many in flight; every answer must come. */
async function load(client: Client, count: number, next: (index: number) => Buffer): Promise<void> {
  let sent = 0;
  const worker = async (): Promise<void> => {
    while (sent < count) {
      const message = next(sent++);
      await new Promise<void>((resolve, reject) => {
        client.makeUnaryRequest(
          check.path,
          (bytes: Buffer) => bytes,
          (bytes: Buffer) => bytes,
          message,
          (error) => (error === null ? resolve() : reject(error)),
        );
      });
    }
  };
  await Promise.all(Array.from({ length: IN_FLIGHT }, worker));
}

/** Does the server allow the first question? Not before its policies are loaded. */
async function allows(client: Client): Promise<boolean> {
  return new Promise((resolve) => {
    client.makeUnaryRequest(
      check.path,
      (bytes: Buffer) => bytes,
      (bytes: Buffer) => check.responseDeserialize(bytes) as { status?: { code?: number } },
      WARM[0] ?? Buffer.alloc(0),
      (error, answer) =>
        resolve(error === null && (answer?.status?.code ?? 0) === 0 && "ok_response" in (answer ?? {})),
    );
  });
}

interface Served {
  readonly child: Child;
  readonly client: Client;
}

async function cost({ child, client }: Served, next: (index: number) => Buffer): Promise<number> {
  const pid = child.process.pid ?? 0;
  const before = await cpuTicks(pid);
  await load(client, CHECKS, next);
  return (((await cpuTicks(pid)) - before) / TICKS_PER_SECOND / CHECKS) * 1e6;
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0;
}

/** Full server (audit file on, 10,000 rules) and bare handler over Unix sockets, rounds interleaved. */
export async function measureServer(): Promise<ServerFigures> {
  const directory = await mkdtemp(join(tmpdir(), "sallyport-bench-"));
  const policies = join(directory, "policies");
  await writePolicyText(syntheticSet(shapeOf(RULES)), policies);
  const main = new URL("../../src/cli/main.ts", import.meta.url).pathname;
  const bareMain = new URL("bare-server.ts", import.meta.url).pathname;
  const serve = (name: string, cache: string): readonly string[] => [
    ...[...SHIPPED_FLAGS, main, "serve", "--policies", policies, "--admin", "none", "--log-level", "warn"],
    ...[
      "--listen",
      `unix:${directory}/${name}`,
      "--audit-to",
      join(directory, `${name}.jsonl`),
      "--cache-max-size",
      cache,
    ],
  ];
  const start = (name: string, args: readonly string[]): Served => ({
    child: startChild(process.execPath, args),
    client: new Client(`unix:${directory}/${name}`, credentials.createInsecure()),
  });
  const full = start("full", serve("full", "64MiB"));
  const small = start("small", serve("small", "64KiB"));
  // Of its own, so that its full cache and large heap are no part of what a warm server costs.
  const large = start("large", serve("large", "64MiB"));
  const bare = start("bare", [bareMain, `unix:${directory}/bare`]);
  const tuned = start("tuned", [...SHIPPED_FLAGS, bareMain, `unix:${directory}/tuned`]);
  const all = [full, small, large, bare, tuned];
  try {
    for (const { child, client } of all) await waitUntil("a server allowing", () => allows(client), 60_000, child);
    const warm = (i: number): Buffer => WARM[i % WARM.length] ?? Buffer.alloc(0);
    const questions = coldQuestions();
    const cold = (): Buffer => questions.next().value as Buffer;
    const pool = (i: number): Buffer => POOL[i % POOL.length] ?? Buffer.alloc(0);
    await load(bare.client, WARM_UP, warm);
    await load(tuned.client, WARM_UP, warm);
    await load(full.client, WARM_UP, warm);
    await load(large.client, WARM_UP, cold);
    await load(small.client, WARM_UP, pool);
    const rounds: Round[] = [];
    for (let i = 0; i < ROUNDS; i++) {
      rounds.push({
        bare: await cost(bare, warm),
        bareTuned: await cost(tuned, warm),
        warm: await cost(full, warm),
        cold: await cost(small, pool),
        strangers: await cost(large, cold),
      });
    }
    const of = (key: keyof Round): Cost => ({
      microseconds: median(rounds.map((round) => round[key])),
      ratio: median(rounds.map((round) => round[key] / round.bare)),
    });
    return {
      bare: of("bare"),
      bareTuned: of("bareTuned"),
      warm: of("warm"),
      cold: of("cold"),
      strangers: of("strangers"),
    };
  } finally {
    for (const { client } of all) client.close();
    await Promise.all(all.map(({ child }) => child.stop()));
    await rm(directory, { recursive: true, force: true });
  }
}

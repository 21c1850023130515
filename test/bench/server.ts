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

/** CPU microseconds of the server process for each Check, median of the rounds. */
export interface ServerFigures {
  readonly bare: number;
  readonly warm: number;
  readonly cold: number;
}

const RULES = 10_000;
const WARM_UP = 5_000;
const CHECKS = 12_000;
const ROUNDS = 5;
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

async function cost(child: Child, client: Client, next: (index: number) => Buffer): Promise<number> {
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
  const sockets = { full: `unix:${directory}/full.sock`, bare: `unix:${directory}/bare.sock` };
  const main = new URL("../../src/cli/main.ts", import.meta.url).pathname;
  const bareMain = new URL("bare-server.ts", import.meta.url).pathname;
  const serve = [main, "serve", "--policies", policies, "--listen", sockets.full, "--admin", "none"];
  const full = startChild(process.execPath, [
    ...serve,
    "--audit-to",
    join(directory, "audit.jsonl"),
    "--log-level",
    "warn",
  ]);
  const bare = startChild(process.execPath, [bareMain, sockets.bare]);
  const clients = [sockets.full, sockets.bare].map((address) => new Client(address, credentials.createInsecure()));
  const [toFull, toBare] = clients;
  if (toFull === undefined || toBare === undefined) throw new RangeError("no clients");
  try {
    for (const [client, child] of [
      [toFull, full],
      [toBare, bare],
    ] as const) {
      const probe = (): Promise<boolean> =>
        load(client, 1, () => WARM[0] ?? Buffer.alloc(0)).then(
          () => true,
          () => false,
        );
      await waitUntil("a server answering", probe, 60_000, child);
    }
    const warm = (i: number): Buffer => WARM[i % WARM.length] ?? Buffer.alloc(0);
    const questions = coldQuestions();
    const cold = (): Buffer => questions.next().value as Buffer;
    await load(toBare, WARM_UP, warm);
    await load(toFull, WARM_UP, warm);
    await load(toFull, WARM_UP, cold);
    const rounds: ServerFigures[] = [];
    for (let i = 0; i < ROUNDS; i++) {
      const bareCost = await cost(bare, toBare, warm);
      const warmCost = await cost(full, toFull, warm);
      rounds.push({ bare: bareCost, warm: warmCost, cold: await cost(full, toFull, cold) });
    }
    return {
      bare: median(rounds.map((round) => round.bare)),
      warm: median(rounds.map((round) => round.warm)),
      cold: median(rounds.map((round) => round.cold)),
    };
  } finally {
    for (const client of clients) client.close();
    await Promise.all([full.stop(), bare.stop()]);
    await rm(directory, { recursive: true, force: true });
  }
}

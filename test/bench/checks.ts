import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { Client, credentials, type MethodDefinition, type ServiceError, status } from "@grpc/grpc-js";
import { type Child, startChild } from "../../src/cli/demo/process.ts";
import type { CheckInput } from "../../src/pdp/decision.ts";
import { loadProtos } from "../../src/server/load-protos.ts";
import type { CheckRequestMessage } from "../../src/server/wire.ts";
import { BUILT_MAIN } from "./built.ts";
import { syntheticQuestion } from "./engine.ts";
import { cpuMicros } from "./process-usage.ts";
import { hostOf, shapeOf, workloadOf } from "./synthetic-set.ts";

/** What the container image starts Node with: room for short-lived objects, the larger part of serving's cost. */
export const SHIPPED_FLAGS = ["--max-semi-space-size=64"];
export const RULES = 10_000;
const IN_FLIGHT = 32;
/** How often, and how long after, a refused question is asked again. */
const REFUSALS = 20;
const REFUSED_MS = 50;

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
export const WARM = Array.from({ length: 256 }, (_, i) => encode(syntheticQuestion(RULES, i)));

/** As many again, far more than the small cache holds. */
export const POOL = Array.from({ length: 8_192 }, (_, i) => encode(syntheticQuestion(RULES, i)));

/** Questions that never come twice: each pair of workload and host once. */
export function* coldQuestions(): Generator<Buffer> {
  const shape = shapeOf(RULES);
  for (let i = 0; ; i++) {
    const { namespace, serviceAccount } = workloadOf(i % shape.workloads);
    const host = hostOf(Math.floor(i / shape.workloads) % shape.services);
    const principal = `spiffe://cluster.local/ns/${namespace}/sa/${serviceAccount}`;
    yield encode({ kind: "http", principal, host, port: "80", method: "GET", path: `/v1/${i}`, headers: [] });
  }
}

/** Asks once; the answer must come. */
export function ask(client: Client, message: Buffer): Promise<void> {
  return new Promise((resolve, reject) => {
    client.makeUnaryRequest(
      check.path,
      (bytes: Buffer) => bytes,
      (bytes: Buffer) => bytes,
      message,
      (error) => (error === null ? resolve() : reject(error)),
    );
  });
}

/** Sends `count` questions with so many in flight; every answer must come, of what a server refuses because the machine stood still when it is asked again. */
export async function load(client: Client, count: number, next: (index: number) => Buffer): Promise<void> {
  let sent = 0;
  const worker = async (): Promise<void> => {
    while (sent < count) {
      const message = next(sent++);
      for (let left = REFUSALS; ; left -= 1) {
        const refused = await ask(client, message).then(
          () => null,
          (error: ServiceError) => error,
        );
        if (refused === null) break;
        if (refused.code !== status.UNAVAILABLE || left === 0) throw refused;
        await sleep(REFUSED_MS);
      }
    }
  };
  await Promise.all(Array.from({ length: IN_FLIGHT }, worker));
}

/** Does the server allow the first question? Not before its policies are loaded. */
export async function allows(client: Client): Promise<boolean> {
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

/** A server on a Unix socket, and a client of it. */
export interface Served {
  readonly child: Child;
  readonly client: Client;
}

export async function cost(
  { child, client }: Served,
  next: (index: number) => Buffer,
  checks: number,
): Promise<number> {
  const pid = child.process.pid ?? 0;
  const before = await cpuMicros(pid);
  await load(client, checks, next);
  return ((await cpuMicros(pid)) - before) / checks;
}

/** A client of who listens on this socket. */
export function connectTo(directory: string, name: string): Client {
  return new Client(`unix:${join(directory, name)}`, credentials.createInsecure());
}

/** Starts `node ARGS…`, which is to listen on this socket. */
export function startServed(directory: string, name: string, args: readonly string[]): Served {
  return {
    child: startChild(process.execPath, args),
    client: connectTo(directory, name),
  };
}

/** The arguments of `sallyport serve` on the socket of that name. */
export function serveArgs(
  directory: string,
  name: string,
  policies: string,
  more: readonly string[],
): readonly string[] {
  const listen = `unix:${join(directory, name)}`;
  return [
    ...SHIPPED_FLAGS,
    BUILT_MAIN,
    "serve",
    "--policies",
    policies,
    "--admin",
    "none",
    "--log-level",
    "warn",
    "--listen",
    listen,
    ...more,
  ];
}

/** Starts `sallyport serve` for each name with its flags, with an audit file of its own unless they say another. */
export function startNamed<Name extends string>(
  directory: string,
  policies: string,
  named: readonly (readonly [name: Name, flags: readonly string[]])[],
): readonly (Served & { readonly name: Name; readonly socket: string })[] {
  return named.map(([name, flags], index) => {
    const to = flags.includes("--audit-to") ? [] : ["--audit-to", join(directory, `${index}.jsonl`)];
    const args = serveArgs(directory, `${index}`, policies, [...flags, ...to]);
    return { name, socket: join(directory, `${index}`), ...startServed(directory, `${index}`, args) };
  });
}

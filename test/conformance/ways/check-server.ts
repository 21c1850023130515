import { Client, credentials, type MethodDefinition, type ServiceError } from "@grpc/grpc-js";
import { createNoSink } from "../../../src/audit/sink.ts";
import { createTrail } from "../../../src/audit/trail.ts";
import { checkMessage } from "../../../src/cli/check-message.ts";
import type { CheckInput } from "../../../src/pdp/decision.ts";
import { createPdp, type DecisionEngine } from "../../../src/pdp/pdp.ts";
import { createCheckHandler } from "../../../src/server/check-service.ts";
import { createHealthService } from "../../../src/server/health.ts";
import { openListener } from "../../../src/server/listener.ts";
import { loadProtos } from "../../../src/server/load-protos.ts";
import { createRenderer, type Rendered, sizeOfRendered } from "../../../src/server/rendered.ts";
import type { CheckRequestMessage, CheckResponseMessage } from "../../../src/server/wire.ts";
import type { Outcome } from "../suite.ts";

/** A real gRPC server on loopback around an engine, with a clock that the test sets, and a client that asks as Envoy does. */
export interface CheckServer {
  /** `127.0.0.1:PORT`. */
  readonly address: string;
  check(input: CheckInput, nowMs: number): Promise<Outcome>;
  close(): Promise<void>;
}

/** Starts one. It counts on nothing but its parameters: no files, no metrics, no trail. */
export async function startCheckServer(engine: DecisionEngine): Promise<CheckServer> {
  const contract = loadProtos();
  const renderer = createRenderer({ encode: contract.encodeCheckResponse, counter: () => () => {} });
  const pdp = createPdp<Rendered>({ render: renderer.decision, sizeOf: sizeOfRendered, maxCacheBytes: 64 << 20 });
  pdp.install(engine);
  let clockMs = 0;
  const trail = createTrail(createNoSink());
  const now = () => clockMs;
  const check = createCheckHandler({ pdp, renderer, trail, now, observe() {}, failed() {} });
  const listener = await openListener({
    address: { kind: "tcp", host: "127.0.0.1", port: 0 },
    tls: null,
    callers: () => null,
    contract,
    check,
    health: createHealthService(),
    tlsPollMs: 60_000,
    refused() {},
    warn() {},
  });
  const client = new Client(listener.address, credentials.createInsecure());
  const method = contract.authorizationClient.Check as MethodDefinition<CheckRequestMessage, CheckResponseMessage>;
  return {
    address: listener.address,
    async check(input, nowMs) {
      clockMs = nowMs;
      return readAnswer(await call(client, method, checkMessage(input)));
    },
    async close() {
      client.close();
      await listener.shutdown(1000);
    },
  };
}

function call(
  client: Client,
  { path, requestSerialize, responseDeserialize }: MethodDefinition<CheckRequestMessage, CheckResponseMessage>,
  message: CheckRequestMessage,
): Promise<CheckResponseMessage> {
  return new Promise((resolve, reject) => {
    const done = (error: ServiceError | null, answer?: CheckResponseMessage) =>
      answer === undefined ? reject(error ?? new Error("no answer")) : resolve(answer);
    client.makeUnaryRequest(path, requestSerialize, responseDeserialize, message, done);
  });
}

/** Takes the effect as Envoy does (code 0, also when absent, lets pass), the rest from the metadata for the access log. */
function readAnswer(answer: CheckResponseMessage): Outcome {
  const told = (name: string): string => answer.dynamic_metadata?.fields[name]?.stringValue ?? "";
  const effect = (answer.status?.code ?? 0) === 0 ? "allow" : "deny";
  if (told("effect") !== effect) throw new Error(`the status says ${effect}, the metadata ${told("effect")}`);
  const rules = told("rules") === "" ? [] : told("rules").split(",");
  return { effect, reason: told("reason"), rules, shadow: told("shadow") };
}

import { Server as GrpcServer, Metadata, ServerCredentials } from "@grpc/grpc-js";
import type { CheckInput, Decision, HeaderPair } from "../../../src/pdp/decision.ts";
import { readCheck } from "../../../src/server/check-request.ts";
import { buildCheckResponse } from "../../../src/server/check-response.ts";
import { decodeCheckRequest } from "../../../src/server/decode-check-request.ts";
import { READ_HEADERS } from "../../../src/server/http-headers.ts";
import { loadProtos } from "../../../src/server/load-protos.ts";
import { createPrincipalReader } from "../../../src/server/principal.ts";
import { createWantedNames } from "../../../src/server/wanted-names.ts";

/** The header by whose number a captured question is found. */
export const PAIR = "x-pair";
const CONTRACT = loadProtos();

/** What Envoy asked about, as the server reads it. */
export interface Capture {
  readonly port: number;
  /** Names of headers that rules look at. */
  want(headers: readonly string[]): void;
  take(pair: string): CheckInput | null;
  /** From now on it answers as this says. */
  answerBy(decide: (input: CheckInput) => Decision): void;
  /** The answer that was given about a captured question. */
  given(pair: string): Decision | null;
  close(): void;
}

/** A server that allows everything, or what it is told to, and keeps what it was asked, by the number in a header. */
export async function startCapture(): Promise<Capture> {
  const kept = new Map<string, CheckInput>();
  const answers = new Map<string, Decision>();
  let decide: ((input: CheckInput) => Decision) | null = null;
  const named = (names: readonly string[]) => createWantedNames([...READ_HEADERS, PAIR, ...names]);
  let wanted = named([]);
  const allow = CONTRACT.encodeCheckResponse({ status: { code: 0, message: "" }, ok_response: {} });
  const readPrincipal = createPrincipalReader();
  const server = new GrpcServer();
  server.addService(CONTRACT.authorization, {
    Check(call: { readonly request: Buffer }, reply: (error: null, answer: Buffer) => void) {
      const { input } = readCheck(decodeCheckRequest(call.request, wanted), new Metadata(), readPrincipal);
      const isPair = ([name]: HeaderPair) => name === PAIR;
      const pair = input.headers.find(isPair)?.[1];
      const headers = input.headers.filter((each) => !isPair(each));
      const question = { ...input, headers };
      if (pair !== undefined) kept.set(String(pair), question);
      if (decide === null) return reply(null, allow);
      const decision = decide(question);
      if (pair !== undefined) answers.set(String(pair), decision);
      const verdict = { id: "of-the-test", kind: input.kind, reason: decision.reason, decision, revision: null };
      reply(null, CONTRACT.encodeCheckResponse(buildCheckResponse(verdict)));
    },
  });
  const port = await new Promise<number>((resolve, reject) => {
    server.bindAsync("127.0.0.1:0", ServerCredentials.createInsecure(), (error, bound) =>
      error === null ? resolve(bound) : reject(error),
    );
  });
  return {
    port,
    want(headers) {
      wanted = named(headers);
    },
    take(pair) {
      const input = kept.get(pair) ?? null;
      kept.delete(pair);
      return input;
    },
    answerBy(next) {
      decide = next;
    },
    given(pair) {
      const decision = answers.get(pair) ?? null;
      answers.delete(pair);
      return decision;
    },
    close: () => server.forceShutdown(),
  };
}

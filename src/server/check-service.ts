import type { sendUnaryData } from "@grpc/grpc-js";
import type { AuditTrail } from "../audit/trail.ts";
import type { CheckInput } from "../pdp/decision.ts";
import type { Pdp, PdpAnswer } from "../pdp/pdp.ts";
import type { Admission } from "./admission.ts";
import { fillTemplate } from "./answer-template.ts";
import { type ReadCheck, type RequestMetadata, readCheck } from "./check-request.ts";
import type { TraceCheck } from "./check-tracer.ts";
import { createIdSource } from "./decision-id.ts";
import { decodeCheckRequest } from "./decode-check-request.ts";
import { READ_HEADERS } from "./http-headers.ts";
import { createPrincipalReader } from "./principal.ts";
import type { RecordedHeaders } from "./recorded-headers.ts";
import type { Rendered, Renderer } from "./rendered.ts";
import { createWantedNames, type WantedNames } from "./wanted-names.ts";

/** What answering needs. */
export interface CheckServiceOptions {
  readonly pdp: Pdp<Rendered>;
  readonly renderer: Renderer;
  readonly trail: AuditTrail;
  readonly recordedHeaders: RecordedHeaders;
  /** Told of each Check that was read and answered. */
  readonly admission: Pick<Admission, "began" | "ended">;
  /** The wall clock in milliseconds: decisions and records take their time from it. */
  now(): number;
  /** Called after each answer. */
  observe(latencyMs: number, hit: boolean): void;
  /** Called with what was thrown, when an answer is `internal-error`. */
  failed(error: unknown): void;
  /** Told of each answer; null where nothing is traced. */
  readonly trace: TraceCheck | null;
}

/** Who called: the identity of an mTLS caller, or null on local listeners. */
export type CheckHandler = (
  call: { readonly request: Buffer; readonly metadata: RequestMetadata },
  caller: string | null,
  reply: sendUnaryData<Buffer>,
) => void;

const NOTHING: ReadCheck = {
  input: { kind: "http", principal: "", host: "", port: null, method: "", path: "", headers: [] },
  path: null,
  requestId: null,
  traceId: null,
  gateway: null,
};

/**
 * Answers `Check`: reads, decides, records, replies. Whatever is thrown on the way becomes a deny with the reason
 * `internal-error`, recorded and counted like any other; the text of an error never reaches the caller.
 */
export function createCheckHandler(options: CheckServiceOptions): CheckHandler {
  const { pdp, renderer, trail, recordedHeaders, admission, now, observe, failed, trace } = options;
  const readPrincipal = createPrincipalReader();
  const nextId = createIdSource();
  let engineHeaders = pdp.headers;
  const always = [...READ_HEADERS, ...recordedHeaders.names];
  let wantedNames = createWantedNames([...always, ...engineHeaders]);

  function wanted(): WantedNames {
    if (engineHeaders !== pdp.headers) {
      engineHeaders = pdp.headers;
      wantedNames = createWantedNames([...always, ...engineHeaders]);
    }
    return wantedNames;
  }

  function decide(input: CheckInput, nowMs: number): PdpAnswer<Rendered> {
    return pdp.decide(input, nowMs) ?? { value: renderer.own("no-policy", input, null), hit: false };
  }

  return (call, caller, reply) => {
    const started = performance.now();
    admission.began(started);
    const nowMs = now();
    let read = NOTHING;
    let answer: PdpAnswer<Rendered>;
    try {
      read = readCheck(decodeCheckRequest(call.request, wanted()), call.metadata, readPrincipal);
      answer = decide(read.input, nowMs);
    } catch (error) {
      failed(error);
      answer = { value: renderer.own("internal-error", read.input, pdp.revision), hit: false };
    }
    const { value, hit } = answer;
    const id = nextId(nowMs);
    const latencyMs = performance.now() - started;
    const request = {
      timeMs: nowMs,
      id,
      cacheHit: hit,
      method: read.path === null ? null : read.input.method,
      path: read.path,
      requestId: read.requestId,
      traceId: read.traceId,
      gateway: caller ?? read.gateway,
      latencyUs: Math.round(latencyMs * 1000),
      headers: recordedHeaders.read(read.input.headers),
      seated: null,
    };
    trail.decision(value.audit, request, (recorded) => {
      // What is not on record is not let out; refusals stand.
      const told = recorded || value.effect === "deny" ? value : renderer.own("audit-failed", read.input, pdp.revision);
      told.count();
      const ended = performance.now();
      admission.ended(ended);
      observe(ended - started, hit);
      reply(null, fillTemplate(told.template, id));
      if (trace !== null) trace(call.metadata, read.input.headers, told.audit, request, ended - started);
    });
  };
}

import type { CheckInput, CheckKind, Decision } from "../../pdp/decision.ts";
import type { Engine } from "../../pdp/engine.ts";

/** What of a recorded decision is evidence. Every text in it was chosen by whoever sent the request. */
export interface RecordedRequest {
  /** Milliseconds since the epoch. */
  readonly timeMs: number;
  /** Of the decision. */
  readonly id: string;
  readonly principal: string;
  readonly kind: CheckKind;
  readonly host: string;
  readonly port: number;
  /** Empty on TLS and TCP. */
  readonly method: string;
  /** Without its query. Empty on TLS and TCP. */
  readonly path: string;
  /** As it was decided then. */
  readonly effect: "allow" | "deny";
  readonly reason: string;
  /** Ids of the rules that allowed it, or would have, had every policy been in force. */
  readonly allowedBy: readonly string[];
  /** Likewise of those that denied it. */
  readonly deniedBy: readonly string[];
}

/**
 * Asks a recorded request again, under any set. A trail holds no headers: none is sent, but that a request to a gRPC port has
 * a content type of gRPC, without which it would not be one.
 */
export function askAgain(engine: Engine, request: RecordedRequest, nowMs: number): Decision {
  const { principal, kind, host, port, method, path } = request;
  const input: CheckInput = { principal, kind, host, port: String(port), method, path, headers: [] };
  const decision = engine.decide(input, nowMs);
  return decision.dependsOn.contentType ? engine.decide({ ...input, headers: GRPC }, nowMs) : decision;
}

const GRPC: CheckInput["headers"] = [["content-type", "application/grpc"]];

import type { CheckInput, Decision } from "../../pdp/decision.ts";
import type { Engine } from "../../pdp/engine.ts";
import type { Effect } from "../../policy/model.ts";
import { CONTENT_TYPE } from "../atoms/header-atoms.ts";
import { type RecordedDecision, recordedInput, requestText } from "../replay/recorded-decision.ts";

/** Takes recorded decisions one by one. @param timeMs the record's time, in milliseconds since the epoch */
export type TakeRecord = (record: RecordedDecision, timeMs: number) => void;

/**
 * Asks a recorded request again, under any set. Of its headers only those are sent that are on record, but that a request to a
 * gRPC port has a content type of gRPC, without which it would not be one.
 */
export function askAgain(engine: Engine, record: RecordedDecision, nowMs: number): Decision {
  const input = recordedInput(record);
  const decision = engine.decide(input, nowMs);
  const { headers } = input;
  if (!decision.dependsOn.contentType || headers.some(([name]) => name === CONTENT_TYPE)) return decision;
  return engine.decide({ ...input, headers: [...headers, ...GRPC] }, nowMs);
}

const GRPC: CheckInput["headers"] = [[CONTENT_TYPE, "application/grpc"]];

/** Ids of the rules that allowed or denied it, or would have, had every policy been in force. */
export function decidedBy(record: RecordedDecision, effect: Effect): readonly string[] {
  const { rules, shadow, shadowRules } = record;
  return [...(record.effect === effect ? rules : []), ...(shadow === effect ? shadowRules : [])];
}

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

/** Of the decision; a stand-in for what is no id of ours. */
export function decisionId({ id }: RecordedDecision): string {
  return id !== undefined && UUID.test(id) ? id : "unknown";
}

/** Who asked for what, for people. */
export function evidenceText(record: RecordedDecision): string {
  return `${record.subject.spiffeId} ${requestText(record)}`;
}

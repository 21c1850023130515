import { type RequestPart, renderDecided, renderRecord } from "../../src/audit/record.ts";
import type { AuditSink } from "../../src/audit/sink.ts";
import { createIdSource } from "../../src/server/decision-id.ts";
import { requestPart } from "./fixtures.ts";

/** A decision, as far as a test cares. */
export interface Told {
  readonly workload?: string;
  readonly host?: string;
  readonly protocol?: "http" | "tls" | "tcp";
  readonly effect?: "allow" | "deny";
  readonly shadow?: "allow" | "deny";
  readonly rules?: readonly string[];
  readonly timeMs: number;
  readonly request?: Partial<RequestPart>;
}

const nextId = createIdSource();
let seq = 0;

/** A record as the server writes it. */
export function recordOf(told: Told): string {
  const { workload = "app", host = "api.example.com", protocol = "http", effect = "allow", timeMs, rules = [] } = told;
  seq += 1;
  const isHttp = protocol === "http";
  const decided = renderDecided({
    revision: `sha256:${"a".repeat(64)}`,
    seat: "server",
    subject: { spiffeId: `spiffe://cluster.local/ns/shop/sa/${workload}`, namespace: "shop", serviceAccount: workload },
    target: { host, port: 443, protocol },
    effect,
    shadow: told.shadow ?? effect,
    reason: effect === "allow" ? "allowed-by-rule" : "no-matching-rule",
    rules,
    shadowRules: [],
    owner: null,
    ticket: null,
  });
  const request = requestPart({
    timeMs,
    id: nextId(timeMs),
    method: isHttp ? "GET" : null,
    path: isHttp ? "/v1" : null,
    ...told.request,
  });
  return renderRecord(seq, decided, request);
}

/** Writes records and waits until they are durable. */
export async function writeRecords(sink: AuditSink, records: readonly Told[]): Promise<void> {
  for (const each of records) sink.write(recordOf(each));
  await sink.flush();
}

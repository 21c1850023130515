import { LRUCache } from "lru-cache";
import { type DecidedText, renderDecided } from "../../audit/record.ts";
import type { AuditTrail } from "../../audit/trail.ts";
import { traceOf } from "../http-headers.ts";
import type { LogEntry } from "./decode-log-message.ts";
import { outcomeOf } from "./outcome.ts";
import { type DecidedReport, readReport, readShared } from "./report.ts";
import type { Sequences } from "./sequences.ts";

/** What recording the gateway seat's decisions needs. */
export interface GatewayRecorderOptions {
  readonly trail: AuditTrail;
  readonly sequences: Sequences;
  /** Names of recorded headers, in the order of the record; null when none are recorded. */
  readonly recordedHeaders: readonly string[] | null;
  /** Counter of one sort of decision. */
  counter(effect: string, reason: string, shadow: string): () => void;
  /** An entry that cannot be read: its decision will be missing, and counted as lost. */
  unreadable(error: unknown): void;
}

/** Takes entries of a gateway's access log, in the order in which they come. `gateway` is who sent them. */
export type GatewayRecorder = (entry: LogEntry, gateway: string | null) => void;

/** What decisions that say the same share. */
interface Shared {
  readonly audit: DecidedText;
  readonly count: () => void;
}

const SHARED_BYTES = 8 * 1024 * 1024;

/**
 * Creates it: each decision that a filter made becomes the record that the server seat would have written, with what came of it. What the
 * server itself was asked about is on record already. Entries without a decision, such as those that Envoy refused before, are not ours.
 */
export function createGatewayRecorder(options: GatewayRecorderOptions): GatewayRecorder {
  const { trail, sequences, recordedHeaders, counter, unreadable } = options;
  const known = new LRUCache<string, Shared>({ maxSize: SHARED_BYTES });

  function sharedOf(text: string): Shared {
    let shared = known.get(text);
    if (shared === undefined) {
      const { subject: spiffeId, namespace, serviceAccount, host, port, ...decided } = readShared(text);
      shared = {
        audit: renderDecided({
          ...decided,
          seat: "gateway",
          subject: { spiffeId, namespace, serviceAccount },
          target: { host, port, protocol: "http" },
        }),
        count: counter(decided.effect, decided.reason, decided.shadow),
      };
      known.set(text, shared, { size: text.length * 6 + 300 });
    }
    return shared;
  }

  function headersOf(headers: DecidedReport["headers"]): readonly (readonly [string, string])[] | null {
    if (recordedHeaders === null) return null;
    return recordedHeaders.flatMap((name) => {
      const value = headers?.[name];
      return value === undefined ? [] : [[name, value] as const];
    });
  }

  function record(report: DecidedReport, entry: LogEntry, isIntermediate: boolean, gateway: string | null): void {
    const { worker, number, id, method, path, requestId, traceparent } = report;
    const { audit, count } = sharedOf(report.shared);
    const request = {
      timeMs: timeOf(id),
      id,
      cacheHit: false,
      method,
      path,
      requestId,
      traceId: traceparent === null ? null : traceOf(traceparent),
      gateway,
      latencyUs: Math.round(report.ns / 1000),
      headers: headersOf(report.headers),
      seated: { worker, workerSeq: number, outcome: isIntermediate ? null : outcomeOf(entry) },
    };
    trail.decision(audit, request, () => {
      count();
      // Lost by the trail, it is counted there.
      sequences.settled(worker, number);
    });
  }

  return (entry, gateway) => {
    if (entry.report === null) return;
    try {
      const report = readReport(entry.report);
      const { isIntermediate } = entry;
      const heard = sequences.heard(report.worker, report.number, isIntermediate);
      if (heard === "known") return;
      if (report.asked) sequences.settled(report.worker, report.number);
      else if (heard === "ended") trail.event({ event: "outcome", detail: { id: report.id, ...outcomeOf(entry) } });
      else record(report, entry, isIntermediate, gateway);
    } catch (error) {
      unreadable(error);
    }
  };
}

/** The time of a UUIDv7, in milliseconds. */
function timeOf(id: string): number {
  return Number.parseInt(id.slice(0, 8) + id.slice(9, 13), 16);
}

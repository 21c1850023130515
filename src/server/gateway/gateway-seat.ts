import type { Registry } from "prom-client";
import type { AuditMode, AuditTrail } from "../../audit/trail.ts";
import { type AccessLogService, createAccessLogService } from "./access-log-service.ts";
import { registerGatewayMetrics } from "./gateway-metrics.ts";
import type { Lessor } from "./lease.ts";
import type { LeaseSigner } from "./lease-signer.ts";
import { createLeases, type Leases } from "./leases.ts";
import { createGatewayRecorder } from "./recorder.ts";
import { createSequences } from "./sequences.ts";

/** What the server needs to stand behind gateways that decide themselves. */
export interface GatewaySeatOptions {
  readonly mode: AuditMode;
  readonly trail: AuditTrail;
  /** Names of recorded headers; null when none are recorded. */
  readonly recordedHeaders: readonly string[] | null;
  /** Signs what gateways are given; null where nothing is signed. */
  readonly sign: LeaseSigner | null;
  readonly registry: Registry;
  counter(effect: string, reason: string, shadow: string): () => void;
  /** Told of the first entry of an access log that cannot be read. */
  warn(error: unknown): void;
}

/** The server's part of the gateway seat. */
export interface GatewaySeat {
  readonly accessLogs: AccessLogService;
  readonly lessor: Lessor;
  /** Workers of gateways that were heard of lately. */
  readonly workers: number;
  readonly leases: Leases;
  close(): void;
}

/** How often it is looked whether decisions are missing. */
const REVIEW_MS = 1_000;

/** Creates it: leases go out, decisions come in, and what is missing of them is counted. */
export function createGatewaySeat(options: GatewaySeatOptions): GatewaySeat {
  const { mode, trail, recordedHeaders, sign, registry, counter, warn } = options;
  const sequences = createSequences(() => performance.now(), trail.event);
  const leases = createLeases(() => performance.now());
  let unreadable = 0;
  const record = createGatewayRecorder({
    trail,
    sequences,
    recordedHeaders,
    counter,
    unreadable(error) {
      unreadable += 1;
      if (unreadable === 1) warn(error);
    },
  });
  registerGatewayMetrics(registry, sequences, () => unreadable);
  const review = setInterval(sequences.review, REVIEW_MS);
  review.unref();
  return {
    accessLogs: createAccessLogService(record),
    lessor: { mode, sequences, leases, recordedHeaders: recordedHeaders ?? [], sign },
    get workers() {
      return sequences.workers;
    },
    leases,
    close: () => clearInterval(review),
  };
}

import type { RecordedRequest } from "../analyze/evidence/recorded-request.ts";
import type { AuditRecord } from "../audit/record.ts";
import { readTrailLines } from "./read-trail-lines.ts";

/** Which decisions of which trail. */
export interface RecordedSpan {
  readonly file: string;
  /** Only the last so many days; null for all there are. */
  readonly days: number | null;
  readonly nowMs: number;
}

/** What was read. */
export interface TrailCounts {
  /** Decisions of that time. */
  readonly records: number;
  /** Lines that are no record of this version. */
  readonly unreadable: number;
}

const DAY_MS = 86_400_000;
const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

/**
 * Gives `take` the requests that a trail has decisions on, the instant itself excluded. Null (after saying why, with the exit code
 * set) when it cannot be read.
 */
export async function readRecordedRequests(
  { file, days, nowMs }: RecordedSpan,
  take: (request: RecordedRequest) => void,
): Promise<TrailCounts | null> {
  const fromMs = days === null ? null : nowMs - days * DAY_MS;
  let records = 0;
  let unreadable = 0;
  const read = await readTrailLines({ file, fromMs, toMs: nowMs }, (line) => {
    if (line === null) unreadable += 1;
    else if (!("event" in line)) {
      const timeMs = Date.parse(line.time);
      if (Number.isNaN(timeMs)) unreadable += 1;
      else if (timeMs <= nowMs && (fromMs === null || timeMs >= fromMs)) {
        records += 1;
        take(recordedRequest(line, timeMs));
      }
    }
  });
  return read ? { records, unreadable } : null;
}

/** What of a record is evidence. */
export function recordedRequest(record: AuditRecord, timeMs: number): RecordedRequest {
  const { id, subject, target, effect, reason, rules, shadow, shadowRules } = record;
  const { host, port, protocol: kind, method, path } = target;
  return {
    timeMs,
    id: typeof id === "string" && UUID.test(id) ? id : "unknown",
    principal: subject.spiffeId,
    kind,
    host,
    // A port as received is one that no request may have.
    port: typeof port === "number" ? port : 0,
    method: kind === "http" ? (method ?? "") : "",
    path: kind === "http" ? (path ?? "") : "",
    effect,
    reason,
    allowedBy: [...(effect === "allow" ? rules : []), ...(shadow === "allow" ? shadowRules : [])],
    deniedBy: [...(effect === "deny" ? rules : []), ...(shadow === "deny" ? shadowRules : [])],
  };
}

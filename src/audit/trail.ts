import { type AuditEvent, type DecidedText, type RequestPart, renderEvent, renderRecord } from "./record.ts";
import type { AuditSink } from "./sink.ts";

/** The one way to the audit trail: numbers the records, keeps the most recent ones in memory, hands them to the sink. */
export interface AuditTrail {
  decision(decided: DecidedText, request: RequestPart): void;
  event(event: AuditEvent): void;
  /** The most recent decisions as JSON texts, newest first. */
  recent(): string[];
  readonly sink: AuditSink;
}

/** A trail over a sink that remembers the last `keep` decisions. */
export function createTrail(sink: AuditSink, keep = 256): AuditTrail {
  const ring: string[] = [];
  let next = 0;
  let seq = 0;
  return {
    decision(decided, request) {
      seq += 1;
      const line = renderRecord(seq, decided, request);
      ring[next] = line;
      next = (next + 1) % keep;
      sink.write(line);
    },
    event(event) {
      seq += 1;
      sink.write(renderEvent(seq, event));
    },
    recent() {
      return [...ring.slice(next), ...ring.slice(0, next)].reverse();
    },
    sink,
  };
}

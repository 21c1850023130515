import { BATCH_LINES } from "./batch.ts";
import { type AuditEvent, type DecidedText, type RequestPart, renderEvent, renderRecord } from "./record.ts";
import type { AuditSink, AuditSinkHooks } from "./sink.ts";

/**
 * What happens to answers while the trail cannot be written. `strict`: an answer waits for its durable record. `batch`: at most
 * 256 answers may be ahead of their records, further ones wait. `drop`: none waits; lost records are counted.
 */
export type AuditMode = "strict" | "batch" | "drop";

/** Answers that may be ahead of their records in mode `batch`: one batch being written, one waiting. */
export const BATCH_WINDOW = 2 * BATCH_LINES;

/** The one way to the audit trail: numbers the records, keeps the most recent ones in memory, hands them to the sink. */
export interface AuditTrail {
  /** Records a decision. `go` is called once, at once or later: may the answer be given, as far as the trail is concerned? */
  decision(decided: DecidedText, request: RequestPart, go: (recorded: boolean) => void): void;
  event(event: AuditEvent): void;
  /** The most recent decisions as JSON texts, newest first. */
  recent(): string[];
  readonly sink: AuditSink;
}

/** What a trail needs. */
export interface AuditTrailOptions {
  readonly mode: AuditMode;
  /** Opens the sink, which asks back for the line of a gap. */
  open(hooks: AuditSinkHooks): Promise<AuditSink>;
  /** The wall clock in milliseconds. */
  now(): number;
  /** Called when the trail can no longer be written, and when it can again. */
  changed(failure: string | null): void;
  /** How many of the last decisions are remembered. */
  readonly keep?: number;
}

/** Opens the trail. @throws when the sink cannot be opened */
export async function openTrail({ mode, open, now, changed, keep = 256 }: AuditTrailOptions): Promise<AuditTrail> {
  const ring: string[] = [];
  let next = 0;
  let seq = 0;
  const sink = await open({
    gap(lost, failure) {
      seq += 1;
      return renderEvent(seq, { event: "gap", timeMs: now(), detail: { lost, failure } });
    },
    changed,
  });
  return {
    decision(decided, request, go) {
      seq += 1;
      const line = renderRecord(seq, decided, request);
      ring[next] = line;
      next = (next + 1) % keep;
      if (mode === "strict" || (mode === "batch" && isBehind(sink))) {
        sink.write(line, go);
        return;
      }
      sink.write(line);
      go(true);
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

/** So many records are on their way, or the last were lost, that no further answer may go ahead of its record. */
function isBehind({ state }: AuditSink): boolean {
  return state.pending >= BATCH_WINDOW || state.failure !== null;
}

/** Where audit lines go. Writing never throws and never waits: failures are counted and shown. */
export interface AuditSink {
  /** Takes one line, without its line end. */
  write(line: string): void;
  /** Settles when every line taken so far was written or has failed. Never rejects. */
  flush(): Promise<void>;
  /** Flushes and lets go of the destination. */
  close(): Promise<void>;
  readonly state: AuditSinkState;
}

export interface AuditSinkState {
  /** Lines that reached the destination. */
  readonly written: number;
  /** Lines that were lost. */
  readonly failed: number;
  /** Why the last write failed; null once one has succeeded again. */
  readonly failure: string | null;
}

/** A sink for those who want no trail. */
export function createNoSink(): AuditSink {
  const state: AuditSinkState = { written: 0, failed: 0, failure: null };
  return { write() {}, async flush() {}, async close() {}, state };
}

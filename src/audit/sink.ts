/** Where audit lines go. Writing never throws and never waits: what became of a line is told to whoever asks. */
export interface AuditSink {
  /**
   * Takes one line, without its line end. `settled` is called once, when it is durable or lost or nobody should wait for it any
   * longer, and never before `write` has returned.
   */
  write(line: string, settled?: (durable: boolean) => void): void;
  /** Settles when every line taken so far is durable or lost. Never rejects. */
  flush(): Promise<void>;
  /** Flushes and lets go of the destination. */
  close(): Promise<void>;
  readonly state: AuditSinkState;
}

/** Every line taken is written, lost or still on its way: `taken` = `written` + `failed` + `pending`. */
export interface AuditSinkState {
  readonly taken: number;
  /** Lines that reached the destination, durably if it can say so. */
  readonly written: number;
  /** Lines that were lost. */
  readonly failed: number;
  /** Of the lost ones, those that the destination was too slow for. */
  readonly tooSlow: number;
  /** Lines on their way. */
  readonly pending: number;
  /** Why the trail cannot be written at present, or null. */
  readonly failure: string | null;
}

/** What a sink tells, and asks, on its way. */
export interface AuditSinkHooks {
  /** The line that says, after a failure, how many lines were lost before it. It is no line that was taken. */
  gap(lost: number, failure: string): string;
  /** Called when `failure` becomes a text, or null again. */
  changed(failure: string | null): void;
  /** Told what went wrong beside the lines themselves. */
  warn(message: string): void;
}

/** A state without lines, to be counted in. */
export function noLines(): { -readonly [Key in keyof AuditSinkState]: AuditSinkState[Key] } {
  return { taken: 0, written: 0, failed: 0, tooSlow: 0, pending: 0, failure: null };
}

/** A sink for those who want no trail. */
export function createNoSink(): AuditSink {
  return {
    write(_line, settled) {
      if (settled !== undefined) queueMicrotask(() => settled(true));
    },
    async flush() {},
    async close() {},
    state: noLines(),
  };
}

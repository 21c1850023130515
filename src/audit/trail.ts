import { BATCH_WINDOW } from "./batch.ts";
import { type AuditRequire, createFanOut } from "./fan-out.ts";
import { type AuditEvent, type DecidedText, type RequestPart, renderEvent, renderGap, renderRecord } from "./record.ts";
import { type AuditSink, type AuditSinkHooks, type AuditSinkState, createNoSink } from "./sink.ts";

/**
 * What happens to answers while the trail cannot be written. `strict`: an answer waits for its durable record. `batch`: at most
 * 256 answers may be ahead of their records, further ones wait. `drop`: none waits; lost records are counted.
 */
export type AuditMode = "strict" | "batch" | "drop";

/** The trail says so often where it stands, whether or not there was a decision: a trail cut short since then shows. */
const CHECKPOINT_MS = 60_000;

/** The one way to the audit trail: numbers the records, keeps the most recent ones in memory, hands them to the sinks. */
export interface AuditTrail {
  /** Records a decision. `go` is called once, at once or later: may the answer be given, as far as the trail is concerned? */
  decision(decided: DecidedText, request: RequestPart, go: (recorded: boolean) => void): void;
  event(event: Omit<AuditEvent, "timeMs">): void;
  /** The most recent decisions as JSON texts, newest first. */
  recent(): string[];
  /** What became of the lines, as far as `require` demands. */
  readonly state: AuditSinkState;
  /** What became of the lines in each sink. */
  readonly sinks: readonly { readonly name: string; readonly state: AuditSinkState }[];
  /** Settles when every line taken so far is durable or lost. */
  flush(): Promise<void>;
  /** Says in the trail where it ends, flushes, and lets go of the sinks. */
  close(): Promise<void>;
}

/** A sink to be opened. */
export interface TrailSink {
  /** `file`, `stdout`, …: the sink's name in events and metrics. */
  readonly name: string;
  open(hooks: AuditSinkHooks): Promise<AuditSink>;
}

/** What a trail needs. */
export interface AuditTrailOptions {
  readonly mode: AuditMode;
  /** None for no trail at all. */
  readonly sinks: readonly TrailSink[];
  /** How many of several sinks must have a record. */
  readonly require: AuditRequire;
  /** The wall clock in milliseconds. */
  now(): number;
  /** Called when a sink can no longer be written, and when it can again. `state` says whether the trail as a whole can. */
  changed(sink: string, failure: string | null): void;
  /** Told what went wrong beside the lines themselves. */
  warn(message: string): void;
  /** How many of the last decisions are remembered. */
  readonly keep?: number;
}

/** Opens the trail. @throws when a sink cannot be opened */
export async function openTrail(options: AuditTrailOptions): Promise<AuditTrail> {
  const { mode, now, keep = 256 } = options;
  const ring: string[] = [];
  let next = 0;
  let seq = 0;
  const opened: { readonly name: string; readonly sink: AuditSink }[] = [];

  function event({ event, detail }: Omit<AuditEvent, "timeMs">): void {
    seq += 1;
    sink.write(renderEvent(seq, { event, timeMs: now(), detail }));
  }

  function hooksOf(name: string): AuditSinkHooks {
    let failing: { readonly since: string; readonly failure: string } | null = null;
    return {
      gap: (lost, failure) => renderGap(now(), lost, failure),
      changed(failure) {
        options.changed(name, failure);
        if (failure === null) {
          event({ event: "sink-recovered", detail: { sink: name, ...failing } });
          failing = null;
        } else {
          failing = { since: new Date(now()).toISOString(), failure };
          // Only another sink could hold it now; in this one it would be one more line lost.
          if (opened.length > 1) event({ event: "sink-failed", detail: { sink: name, ...failing } });
        }
      },
      warn: options.warn,
    };
  }

  try {
    for (const { name, open } of options.sinks) opened.push({ name, sink: await open(hooksOf(name)) });
  } catch (error) {
    await Promise.all(opened.map((each) => each.sink.close()));
    throw error;
  }
  const members = opened.map((each) => each.sink);
  const [only = createNoSink()] = members;
  const sink = members.length > 1 ? createFanOut(members, options.require) : only;

  function totals(): Record<string, unknown> {
    const { taken, written, failed, pending } = sink.state;
    return { taken, written, failed, pending };
  }
  const checkpoints = setInterval(() => event({ event: "checkpoint", detail: totals() }), CHECKPOINT_MS);
  checkpoints.unref();

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
    event,
    recent() {
      return [...ring.slice(next), ...ring.slice(0, next)].reverse();
    },
    state: sink.state,
    sinks: opened.map(({ name, sink: { state } }) => ({ name, state })),
    flush: () => sink.flush(),
    async close() {
      clearInterval(checkpoints);
      await sink.flush();
      event({ event: "stopped", detail: totals() });
      await sink.close();
    },
  };
}

/** So many records are on their way, or the last were lost, that no further answer may go ahead of its record. */
function isBehind({ state }: AuditSink): boolean {
  return state.pending >= BATCH_WINDOW || state.failure !== null;
}

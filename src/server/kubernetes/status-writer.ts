import type { LoadOutcome } from "../load-outcome.ts";
import { type Acceptance, acceptances } from "./acceptance.ts";
import type { PolicyApi } from "./api.ts";
import type { PolicyObject } from "./policy-object.ts";
import { type OwnSeat, statusChange } from "./status.ts";

/** Tells authors what came of their objects. */
export interface StatusWriter {
  /** What a load of these objects came to. */
  report(objects: readonly PolicyObject[], outcome: LoadOutcome): void;
  readonly failures: number;
  close(): void;
}

export interface StatusWriterOptions {
  readonly api: Pick<PolicyApi, "writeStatus">;
  readonly rootNamespace: string;
  /** The objects as they are now. */
  objects(): readonly PolicyObject[] | null;
  /** What this server decides by; null while it has nothing. */
  seat(): OwnSeat | null;
  now(): number;
  warn(message: string, error: unknown): void;
}

/** What was not written, because another server did at the same time or the API server was away, is tried again. */
const REVIEW_MS = 5_000;
const WARN_MS = 60_000;

/**
 * Every server writes the same of every object, so one that finds it said writes nothing. What is written rests on the version that was read: another's write in
 * between wins, and the object is looked at again. A status that cannot be written keeps nothing from being in force.
 */
export function createStatusWriter(options: StatusWriterOptions): StatusWriter {
  const { api, rootNamespace, objects, seat, now, warn } = options;
  const wanted = new Map<string, { readonly generation: number; readonly acceptance: Acceptance }>();
  let failures = 0;
  let warnedMs = Number.NEGATIVE_INFINITY;
  let running = false;
  let again = false;
  let closed = false;

  async function write(object: PolicyObject): Promise<void> {
    const { uid, generation } = object.metadata;
    const known = wanted.get(uid);
    const acceptance = known?.generation === generation ? known.acceptance : null;
    const own = object.metadata.namespace === rootNamespace ? seat() : null;
    const status = statusChange(object, acceptance, own, now());
    if (status === null) return;
    try {
      await api.writeStatus(object, status);
    } catch (error) {
      failures += 1;
      if (Math.abs(now() - warnedMs) < WARN_MS) return;
      warnedMs = now();
      const { namespace, name } = object.metadata;
      warn(`the status of ${object.kind} ${namespace}/${name} cannot be written`, error);
    }
  }

  async function review(): Promise<void> {
    if (running) {
      again = true;
      return;
    }
    running = true;
    do {
      again = false;
      for (const object of objects() ?? []) {
        if (closed) break;
        await write(object);
      }
    } while (again && !closed);
    running = false;
  }

  const timer = setInterval(review, REVIEW_MS);
  timer.unref();
  return {
    report(all, outcome) {
      const present = new Set(all.map(({ metadata }) => metadata.uid));
      for (const uid of wanted.keys()) if (!present.has(uid)) wanted.delete(uid);
      const found = acceptances(all, outcome, rootNamespace);
      for (const { metadata } of all) {
        const acceptance = found.get(metadata.uid);
        if (acceptance !== undefined) wanted.set(metadata.uid, { generation: metadata.generation, acceptance });
      }
      void review();
    },
    get failures() {
      return failures;
    },
    close() {
      closed = true;
      clearInterval(timer);
    },
  };
}

import { createCompileThread } from "./compile-thread.ts";
import type { KeptPolicies } from "./kept-policies.ts";
import type { LoadOutcome } from "./load-outcome.ts";
import type { PolicySource } from "./policy-source.ts";

/** How policies are kept up to date. */
export interface ReloaderOptions {
  readonly source: PolicySource;
  /** Its contents are compared this often, whether or not a change was seen. */
  readonly pollMs: number;
  /** A load that takes longer is given up. */
  readonly deadlineMs: number;
  /** Where loads are kept for the next run; null = nowhere. */
  readonly state: string | null;
  /** A load could not be kept, and why. Answering goes on. */
  notKept(why: string): void;
  /** Puts an outcome into force; one at a time. When it rejects, the outcome counts as not seen, so that it is tried again. */
  apply(outcome: LoadOutcome): Promise<void>;
}

/** Keeps what is in force equal to what the source of policies holds. */
export interface Reloader {
  /** Looks at it now and settles when its contents are in force, or why not was said. */
  load(): Promise<LoadOutcome>;
  /** Puts what an earlier run kept into force, if it can be used, and compiles the files behind it; else as `load`. */
  resume(kept: KeptPolicies): Promise<LoadOutcome>;
  /** Begins to watch and to poll. */
  start(): void;
  /** Ends it; nothing is put into force afterwards. */
  close(): Promise<void>;
}

/** Changes seen within this time make one load. */
const GATHER_MS = 50;

/** A reloader over a source of policies, which compiles in a thread of its own. */
export function createReloader(options: ReloaderOptions): Reloader {
  const { source, pollMs, apply } = options;
  const thread = createCompileThread(options);
  let known: string | null = null;
  let gather: NodeJS.Timeout | null = null;
  let poll: NodeJS.Timeout | null = null;
  let running: Promise<LoadOutcome> | null = null;
  let again = false;
  let closed = false;
  source.watch(soon);

  function soon(): void {
    if (!closed) gather ??= setTimeout(changed, GATHER_MS);
  }

  async function loadOnce(): Promise<LoadOutcome> {
    const input = source.current();
    const outcome: LoadOutcome =
      input.kind === "unknown" ? { kind: "failed", message: input.why } : await thread.load(input, known);
    if (closed) return outcome;
    try {
      await apply(outcome);
      if (source.loaded(outcome)) soon();
      if ("digest" in outcome) known = outcome.digest;
      return outcome;
    } catch (error) {
      const failed: LoadOutcome = { kind: "failed", message: error instanceof Error ? error.message : String(error) };
      await apply(failed);
      return failed;
    }
  }

  async function load(): Promise<LoadOutcome> {
    while (running !== null) await running;
    running = loadOnce();
    try {
      return await running;
    } finally {
      running = null;
    }
  }

  async function changed(): Promise<void> {
    gather = null;
    if (running !== null) {
      again = true;
      return;
    }
    do {
      again = false;
      await load();
    } while (again && !closed);
  }

  async function resume(kept: KeptPolicies): Promise<LoadOutcome> {
    if (kept.kind !== "kept") return load();
    const { outcome } = kept;
    source.loaded(outcome);
    try {
      await apply(outcome);
    } catch {
      return load();
    }
    // The digest stays unknown: the files are read and compiled as after any start, and what they come to is put into force.
    thread.resume(outcome.memory);
    soon();
    return outcome;
  }

  return {
    load,
    resume,
    start() {
      poll = setInterval(changed, pollMs);
      poll.unref();
    },
    async close() {
      closed = true;
      if (gather !== null) clearTimeout(gather);
      if (poll !== null) clearInterval(poll);
      source.close();
      await thread.close();
      await running?.catch(() => {});
    },
  };
}

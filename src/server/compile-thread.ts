import { Worker } from "node:worker_threads";
import type { LoadOutcome, LoadRequest, WorkerMessage, WorkerStart } from "./load-outcome.ts";
import type { PolicyInput } from "./policy-source.ts";

/** The compiler in a thread of its own. */
export interface CompileThread {
  /** As `Compiler.load`, with `timeout` when it takes too long: the thread is then ended and a new one takes over. */
  load(input: PolicyInput, knownDigest: string | null): Promise<LoadOutcome>;
  /** Goes on from the memory of an earlier load, before the first of its own. */
  resume(memory: Uint8Array): void;
  close(): Promise<void>;
}

const ENTRY = new URL(import.meta.url.endsWith(".ts") ? "./compile-worker.ts" : "./compile-worker.js", import.meta.url);

/** How a compile thread works. */
export interface CompileThreadOptions {
  readonly deadlineMs: number;
  /** Where loads are kept for the next run; null = nowhere. */
  readonly state: string | null;
  /** A load could not be kept, and why. */
  notKept(why: string): void;
}

/** Starts threads as they are needed. One load at a time. */
export function createCompileThread({ deadlineMs, state, notKept }: CompileThreadOptions): CompileThread {
  let worker: Worker | null = null;
  let memory: Uint8Array | null = null;
  let nextId = 0;

  function start(): Worker {
    const workerData: WorkerStart = { memory, state };
    const started = new Worker(ENTRY, { workerData, name: "sallyport-compile" });
    started.on("message", (message: WorkerMessage) => {
      if ("notKept" in message) notKept(message.notKept);
    });
    started.unref();
    return started;
  }

  return {
    async load(input, knownDigest) {
      worker ??= start();
      nextId += 1;
      const outcome = await ask(worker, { id: nextId, input, knownDigest }, deadlineMs);
      if (outcome.kind === "loaded") memory = outcome.memory;
      if (outcome.kind === "timeout" || outcome.kind === "died") {
        await worker.terminate();
        worker = null;
      }
      return outcome.kind === "died" ? { kind: "failed", message: outcome.message } : outcome;
    },
    resume(known) {
      memory = known;
    },
    async close() {
      await worker?.terminate();
      worker = null;
    },
  };
}

function ask(
  worker: Worker,
  request: LoadRequest,
  deadlineMs: number,
): Promise<LoadOutcome | { readonly kind: "died"; readonly message: string }> {
  return new Promise((resolve) => {
    const settle = (outcome: Parameters<typeof resolve>[0]) => {
      clearTimeout(timer);
      worker.off("message", answered);
      worker.off("error", broken);
      worker.off("exit", ended);
      resolve(outcome);
    };
    const answered = (message: WorkerMessage) => {
      if ("id" in message && message.id === request.id) settle(message.outcome);
    };
    const broken = (error: unknown) => {
      settle({ kind: "died", message: error instanceof Error ? error.message : String(error) });
    };
    const ended = () => settle({ kind: "died", message: "the compile thread ended" });
    const timer = setTimeout(() => settle({ kind: "timeout" }), deadlineMs);
    worker.on("message", answered);
    worker.on("error", broken);
    worker.on("exit", ended);
    worker.postMessage(request);
  });
}

import { readlinkSync } from "node:fs";
import { getPriority, setPriority } from "node:os";
import { parentPort, workerData } from "node:worker_threads";
import { createCanonicaliser } from "../pdp/canonicaliser.ts";
import { readEngineModule } from "../pdp/engine-module.ts";
import { createCompiler } from "./compiler.ts";
import { keptBytes, writeKept } from "./kept-policies.ts";
import type { LoadOutcome, LoadRequest, WorkerMessage, WorkerStart } from "./load-outcome.ts";
import { createSharedPlaces } from "./shared-places.ts";

/** Steps below the rest: a third of the share of whoever answers, where they compete. */
const STEPS_BELOW = 5;

/** The thread that reads and compiles policies, so that answering never waits for it. */
const { memory, state }: WorkerStart = workerData;
yieldToOthers();
const compiler = createCompiler(createCanonicaliser(readEngineModule()), memory);
const share = createSharedPlaces();
let writing: Promise<void> = Promise.resolve();

parentPort?.on("message", async ({ id, input, knownDigest }: LoadRequest) => {
  const outcome = await compiler.load(input, knownDigest);
  // What is given to the other thread is no longer here: it is copied first and written afterwards.
  const kept = state !== null && outcome.kind === "loaded" ? keptBytes(outcome) : null;
  tell({ id, outcome: withSharedMemory(outcome) }, transferable(outcome));
  if (state !== null && kept !== null) keep(state, kept);
});

function tell(message: WorkerMessage, transfer: ArrayBuffer[] = []): void {
  parentPort?.postMessage(message, transfer);
}

/** One after the other: the last load is the one that stays. */
function keep(directory: string, bytes: Buffer): void {
  writing = writing
    .then(() => writeKept(directory, bytes))
    .catch((error: unknown) => tell({ notKept: error instanceof Error ? error.message : String(error) }));
}

function transferable(outcome: LoadOutcome): ArrayBuffer[] {
  if (outcome.kind !== "loaded") return [];
  const { expires, ends, json } = outcome.exceptions;
  const buffers = [outcome.bundle, expires, ends, json];
  return buffers.filter(ownsBuffer).map((each) => each.buffer as ArrayBuffer);
}

/** All policy text, which the thread that answers only holds on to: no garbage is to be collected there for its sake. */
function withSharedMemory(outcome: LoadOutcome): LoadOutcome {
  return outcome.kind === "loaded" ? { ...outcome, memory: share(outcome.memory) } : outcome;
}

/** Small Buffers share a pool, which must stay with this thread. */
function ownsBuffer(bytes: ArrayBufferView): boolean {
  return bytes.byteLength === bytes.buffer.byteLength && bytes.buffer instanceof ArrayBuffer;
}

/** This thread waits where there are more threads than processors: answering comes first. Where that cannot be, it is as important as others. */
function yieldToOthers(): void {
  try {
    const thread = Number(readlinkSync("/proc/thread-self").split("/").at(-1));
    setPriority(thread, getPriority() + STEPS_BELOW);
  } catch {
    // Not Linux, or not allowed.
  }
}

import { parentPort, workerData } from "node:worker_threads";
import { createCanonicaliser } from "../pdp/canonicaliser.ts";
import { readEngineModule } from "../pdp/engine-module.ts";
import { createCompiler } from "./compiler.ts";
import { keptBytes, writeKept } from "./kept-policies.ts";
import type { LoadOutcome, LoadRequest, WorkerMessage, WorkerStart } from "./load-outcome.ts";

/** The thread that reads and compiles policies, so that answering never waits for it. */
const { memory, state }: WorkerStart = workerData;
const compiler = createCompiler(createCanonicaliser(readEngineModule()), memory);
let writing: Promise<void> = Promise.resolve();

parentPort?.on("message", async ({ id, directory, knownDigest }: LoadRequest) => {
  const outcome = await compiler.load(directory, knownDigest);
  // What is given to the other thread is no longer here: it is copied first and written afterwards.
  const kept = state !== null && outcome.kind === "loaded" ? keptBytes(outcome) : null;
  tell({ id, outcome }, transferable(outcome));
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
  const buffers = [outcome.bundle, outcome.memory];
  return buffers.filter(ownsBuffer).map((each) => each.buffer as ArrayBuffer);
}

/** Small Buffers share a pool, which must stay with this thread. */
function ownsBuffer(bytes: Uint8Array): boolean {
  return bytes.byteLength === bytes.buffer.byteLength && bytes.buffer instanceof ArrayBuffer;
}

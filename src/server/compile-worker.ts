import { parentPort, workerData } from "node:worker_threads";
import { createCanonicaliser } from "../pdp/canonicaliser.ts";
import { readEngineModule } from "../pdp/engine-module.ts";
import { createCompiler } from "./compiler.ts";
import type { LoadOutcome, LoadRequest } from "./load-outcome.ts";

/** The thread that reads and compiles policies, so that answering never waits for it. */
const memory: Uint8Array | null = workerData;
const compiler = createCompiler(createCanonicaliser(readEngineModule()), memory);

parentPort?.on("message", async ({ id, directory, knownDigest }: LoadRequest) => {
  const outcome = await compiler.load(directory, knownDigest);
  parentPort?.postMessage({ id, outcome }, transferable(outcome));
});

function transferable(outcome: LoadOutcome): ArrayBuffer[] {
  if (outcome.kind !== "loaded") return [];
  const buffers = [outcome.bundle, outcome.memory];
  return buffers.filter(ownsBuffer).map((each) => each.buffer as ArrayBuffer);
}

/** Small Buffers share a pool, which must stay with this thread. */
function ownsBuffer(bytes: Uint8Array): boolean {
  return bytes.byteLength === bytes.buffer.byteLength && bytes.buffer instanceof ArrayBuffer;
}

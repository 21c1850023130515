import { once } from "node:events";
import { Worker } from "node:worker_threads";
import type { Packing } from "./packing.ts";

/** What a thread compresses, and how. */
export interface CompressWork {
  readonly packing: Packing;
  readonly tasks: readonly CompressTask[];
}

/** A file, and what it is called once it is compressed. */
interface CompressTask {
  readonly from: string;
  readonly to: string;
}

const ENTRY = new URL(
  import.meta.url.endsWith(".ts") ? "./compress-worker.ts" : "./compress-worker.js",
  import.meta.url,
);

/**
 * Compresses files and deletes the originals, in a thread of its own: Node's streams of files would make V8 throw away, in the thread that answers, what it has learned about those
 * of connections, and each Check would cost more from then on.
 * @throws what stopped it; of each file there is then the original, the whole compressed one, or both
 */
export async function compressFiles(work: CompressWork): Promise<void> {
  if (work.tasks.length === 0) return;
  // Rejects with what the thread threw.
  await once(new Worker(ENTRY, { workerData: work, name: "sallyport-compress" }), "exit");
}

import { createBatchSink } from "./batch.ts";
import type { AuditSink } from "./sink.ts";

/** A sink that writes to a stream that stays open, by default standard output. */
export function createStdoutSink(stream: NodeJS.WritableStream = process.stdout): AuditSink {
  stream.on("error", ignore);
  return createBatchSink({
    append(bytes) {
      return new Promise((resolve, reject) => {
        stream.write(bytes, (error) => (error ? reject(error) : resolve()));
      });
    },
    async close() {
      stream.off("error", ignore);
    },
  });
}

/** The failed write itself reports the error. */
function ignore(): void {}

import { type BatchTarget, createBatchSink } from "./batch.ts";
import type { AuditSink, AuditSinkHooks } from "./sink.ts";

/** A sink that writes to a stream that stays open, by default standard output. */
export function createStdoutSink(hooks: AuditSinkHooks, stream: NodeJS.WritableStream = process.stdout): AuditSink {
  stream.on("error", ignore);
  const target: BatchTarget = {
    append(bytes) {
      return new Promise((resolve, reject) => {
        stream.write(bytes, (error) => (error ? reject(error) : resolve()));
      });
    },
    async close() {
      stream.off("error", ignore);
    },
  };
  return createBatchSink(target, hooks);
}

/** The failed write itself reports the error. */
function ignore(): void {}

import { type BatchTarget, createBatchSink } from "./batch.ts";
import { linesOf, type Reshape } from "./shape.ts";
import type { AuditSink, AuditSinkHooks } from "./sink.ts";

/** A sink that writes to a stream that stays open, by default standard output. Null leaves lines as they are. */
export function createStdoutSink(
  hooks: AuditSinkHooks,
  reshape: Reshape | null = null,
  stream: NodeJS.WritableStream = process.stdout,
): AuditSink {
  stream.on("error", ignore);
  const target: BatchTarget = {
    append(bytes) {
      const shaped = reshape === null ? bytes : `${linesOf(bytes).map(reshape).join("\n")}\n`;
      return new Promise((resolve, reject) => {
        stream.write(shaped, (error) => (error ? reject(error) : resolve()));
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

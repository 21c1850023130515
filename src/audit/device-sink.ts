import { open } from "node:fs/promises";
import { createBatchSink } from "./batch.ts";
import type { AuditSink, AuditSinkHooks } from "./sink.ts";

/** A sink that writes to a device or a named pipe: lines only, since nothing there can be sealed, cut or renamed. */
export async function createDeviceSink(path: string, hooks: AuditSinkHooks): Promise<AuditSink> {
  const file = await open(path, "a");
  return createBatchSink(
    {
      async append(bytes) {
        for (let at = 0; at < bytes.length; ) at += (await file.write(bytes, at)).bytesWritten;
        // A terminal or a pipe has nothing to make durable.
        await file.datasync().catch((error: NodeJS.ErrnoException) => {
          if (error.code !== "EINVAL") throw error;
        });
      },
      close: () => file.close(),
    },
    hooks,
  );
}

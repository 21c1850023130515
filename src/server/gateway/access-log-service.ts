import type { ServerReadableStream, sendUnaryData } from "@grpc/grpc-js";
import type { LogEntry } from "./decode-log-message.ts";
import type { GatewayRecorder } from "./recorder.ts";

/** Envoy's access log service, for the decisions that gateways make themselves. */
export interface AccessLogService {
  /** Takes a stream of entries, from a caller that is known by its certificate, or null on local listeners. */
  stream(
    call: ServerReadableStream<readonly LogEntry[], object>,
    caller: string | null,
    end: sendUnaryData<object>,
  ): void;
  /** Ends all streams: gateways send theirs to another server then. */
  close(): void;
}

/** Creates it. Nothing is acknowledged in this protocol: what gets lost on the way shows in the sequences. */
export function createAccessLogService(record: GatewayRecorder): AccessLogService {
  const ends = new Set<() => void>();
  return {
    stream(call, caller, end) {
      const close = (): void => {
        if (ends.delete(close)) end(null, {});
      };
      ends.add(close);
      call.on("data", (entries: readonly LogEntry[]) => {
        for (const entry of entries) record(entry, caller);
      });
      call.on("end", close);
      // A broken stream is the caller's affair; what it still had is missing.
      call.on("error", () => ends.delete(close));
      call.on("cancelled", () => ends.delete(close));
    },
    close() {
      for (const end of [...ends]) end();
    },
  };
}

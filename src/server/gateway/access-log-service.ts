import type { ServerReadableStream, sendUnaryData } from "@grpc/grpc-js";
import type { LogEntry } from "./outcome.ts";
import type { GatewayRecorder } from "./recorder.ts";

/** A message of the stream. Connections' entries are skipped: the server is asked about each of those. */
export interface AccessLogMessage {
  readonly http_logs?: { readonly log_entry?: readonly LogEntry[] };
}

/** Envoy's access log service, for the decisions that gateways make themselves. */
export interface AccessLogService {
  /** Takes a stream of entries, from a caller that is known by its certificate, or null on local listeners. */
  stream(call: ServerReadableStream<AccessLogMessage, object>, caller: string | null, end: sendUnaryData<object>): void;
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
      call.on("data", ({ http_logs }: AccessLogMessage) => {
        for (const entry of http_logs?.log_entry ?? []) record(entry, caller);
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

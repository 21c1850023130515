import { DiagLogLevel, diag } from "@opentelemetry/api";
import { OTLPLogExporter } from "@opentelemetry/exporter-logs-otlp-proto";
import { resourceFromAttributes } from "@opentelemetry/resources";
import type { ReadableLogRecord } from "@opentelemetry/sdk-logs";
import { createBatchSink } from "./batch.ts";
import type { AuditLine } from "./ocsf.ts";
import { hrTimeOf, otlpAttributes } from "./otlp-attributes.ts";
import { linesOf, type Reshape } from "./shape.ts";
import type { AuditSink, AuditSinkHooks } from "./sink.ts";

/** Where OTLP logs go. Headers, certificates and compression come from OpenTelemetry's own `OTEL_EXPORTER_OTLP_*` variables. */
export interface OtlpSinkOptions {
  /** URL of OTLP/HTTP logs, such as `http://127.0.0.1:4318/v1/logs`. */
  readonly endpoint: string;
  readonly reshape: Reshape;
  /** This program's own. */
  readonly version: string;
}

/** A batch that is not taken after so long, with OpenTelemetry's own retries, is lost and counted. */
const TIMEOUT_MS = 10_000;
const INFO = 9;
const WARN = 13;

/**
 * A sink of OpenTelemetry log records in protobuf over HTTP. The body is the line; what is asked for most is in attributes
 * with names of the semantic conventions. What a collector took only in part is told as a warning, since OTLP does not say which.
 */
export function createOtlpSink({ endpoint, reshape, version }: OtlpSinkOptions, hooks: AuditSinkHooks): AuditSink {
  // One export is under way at a time; the exporter counts it a little longer than that.
  const exporter = new OTLPLogExporter({ url: endpoint, timeoutMillis: TIMEOUT_MS, concurrencyLimit: 4 });
  const resource = resourceFromAttributes({ "service.name": "sallyport", "service.version": version });
  const scope = { name: "sallyport.audit", version: "1" };
  diag.setLogger(partialSuccesses(hooks), { logLevel: DiagLogLevel.WARN, suppressOverrideMessage: true });

  function recordOf(text: string): ReadableLogRecord {
    const line: AuditLine = JSON.parse(text);
    const hrTime = hrTimeOf("time" in line && line.time !== undefined ? Date.parse(line.time) : Date.now());
    const isBad = "event" in line ? line.event.endsWith("failed") || line.event === "gap" : line.effect === "deny";
    return {
      hrTime,
      hrTimeObserved: hrTime,
      severityNumber: isBad ? WARN : INFO,
      severityText: isBad ? "WARN" : "INFO",
      eventName: "event" in line ? `sallyport.${line.event}` : "sallyport.decision",
      body: reshape(text),
      attributes: otlpAttributes(line),
      droppedAttributesCount: 0,
      resource,
      instrumentationScope: scope,
    };
  }

  return createBatchSink(
    {
      append(bytes) {
        return new Promise((resolve, reject) => {
          exporter.export(linesOf(bytes).map(recordOf), ({ code, error }) => {
            if (code === 0) resolve();
            else reject(new Error(`the OTLP collector ${endpoint} did not take it: ${error?.message ?? "unknown"}`));
          });
        });
      },
      close: () => exporter.shutdown(),
    },
    hooks,
  );
}

/** OpenTelemetry tells of records that a collector refused only to its diagnostic logger. */
function partialSuccesses(hooks: AuditSinkHooks) {
  const warn = (message: string, ...rest: unknown[]): void => {
    if (/partial success/i.test(message)) hooks.warn(`the OTLP collector refused records: ${JSON.stringify(rest)}`);
  };
  return { warn, error: warn, info() {}, debug() {}, verbose() {} };
}

import { ROOT_CONTEXT, type SpanContext, SpanKind, TraceFlags, trace } from "@opentelemetry/api";
import { parseTraceParent } from "@opentelemetry/core";
import { OTLPTraceExporter } from "@opentelemetry/exporter-trace-otlp-proto";
import { resourceFromAttributes } from "@opentelemetry/resources";
import { BatchSpanProcessor, type SpanExporter, TracerProvider } from "@opentelemetry/sdk-trace";
import { hrTimeOf, otlpAttributes } from "../audit/otlp-attributes.ts";
import { type AuditRecord, type DecidedText, type RequestPart, renderRecord } from "../audit/record.ts";
import type { HeaderPair } from "../pdp/decision.ts";
import type { RequestMetadata } from "./check-request.ts";
import { textOf } from "./http-headers.ts";

/** Where spans go and how many. Headers, certificates and compression come from OpenTelemetry's own `OTEL_EXPORTER_OTLP_*` variables. */
export interface CheckTracerOptions {
  /** URL of OTLP/HTTP traces, such as `http://127.0.0.1:4318/v1/traces`. */
  readonly endpoint: string;
  /** Share of the Checks without a parent that are traced, from 0 to 1. */
  readonly ratio: number;
  /** This program's own. */
  readonly version: string;
}

/** Told of a Check after its answer: gRPC metadata, the request's headers, what was recorded, and how long it took. Never throws. */
export type TraceCheck = (
  metadata: RequestMetadata,
  headers: readonly HeaderPair[],
  decided: DecidedText,
  request: RequestPart,
  elapsedMs: number,
) => void;

/** What became of spans: every one that was made is sent, lost or on its way. */
export interface SpanCounts {
  readonly sent: number;
  /** Not taken on, because too many were on their way. */
  readonly full: number;
  /** Not taken by the collector, or not made. */
  readonly failed: number;
}

export interface CheckTracer {
  readonly trace: TraceCheck;
  readonly counts: SpanCounts;
  /** Sends what is left, for three seconds at most. */
  close(): Promise<void>;
}

const NAME = "envoy.service.auth.v3.Authorization/Check";
/** Spans on their way, those that are being sent among them. Further ones are lost and counted. */
const MAX_PENDING = 2048;
const BATCH = 512;
const DELAY_MS = 1000;
/** A batch that is not taken after so long, with OpenTelemetry's own retries, is lost and counted. */
const TIMEOUT_MS = 10_000;
const CLOSE_MS = 3000;

/**
 * Makes a span of each Check whose parent is sampled, and of a share of those without one. The parent is who called, as Envoy's
 * gRPC client says, or else the request itself. A span says what the trail says, and so neither queries nor credentials.
 */
export function createCheckTracer({ endpoint, ratio, version }: CheckTracerOptions): CheckTracer {
  const counts = { sent: 0, full: 0, failed: 0 };
  let pending = 0;
  const exporter = new OTLPTraceExporter({ url: endpoint, timeoutMillis: TIMEOUT_MS, concurrencyLimit: 8 });
  const counting: SpanExporter = {
    export(spans, settled) {
      exporter.export(spans, (result) => {
        pending -= spans.length;
        if (result.code === 0) counts.sent += spans.length;
        else counts.failed += spans.length;
        settled(result);
      });
    },
    shutdown: () => exporter.shutdown(),
  };
  const processor = new BatchSpanProcessor({
    exporter: counting,
    maxQueueSize: MAX_PENDING,
    maxExportBatchSize: BATCH,
    scheduledDelayMillis: DELAY_MS,
    // The exporter's own comes first: it knows what became of the batch.
    exportTimeoutMillis: 2 * TIMEOUT_MS,
  });
  const resource = resourceFromAttributes({ "service.name": "sallyport", "service.version": version });
  const provider = new TracerProvider({ resource, spanProcessors: [processor] });
  const tracer = provider.getTracer("sallyport.check", "1");

  function record(parent: SpanContext | null, decided: DecidedText, request: RequestPart, elapsedMs: number): void {
    const line: AuditRecord = JSON.parse(renderRecord(0, decided, request));
    const { "sallyport.seq": _, "sallyport.trace.id": __, ...attributes } = otlpAttributes(line);
    const context = parent === null ? ROOT_CONTEXT : trace.setSpanContext(ROOT_CONTEXT, parent);
    const startTime = hrTimeOf(request.timeMs);
    const span = tracer.startSpan(NAME, { kind: SpanKind.SERVER, startTime, attributes }, context);
    pending += 1;
    span.end(hrTimeOf(request.timeMs + elapsedMs));
  }

  return {
    counts,
    trace(metadata, headers, decided, request, elapsedMs) {
      try {
        const parent = parentOf(metadata, headers);
        const isSampled = parent === null ? Math.random() < ratio : (parent.traceFlags & TraceFlags.SAMPLED) !== 0;
        if (!isSampled) return;
        if (pending >= MAX_PENDING) counts.full += 1;
        else record(parent, decided, request, elapsedMs);
      } catch {
        counts.failed += 1;
      }
    },
    async close() {
      const limit = new Promise<void>((resolve) => setTimeout(resolve, CLOSE_MS).unref());
      await Promise.race([provider.shutdown().catch(() => {}), limit]);
    },
  };
}

/** The caller's span; without one, that of the request. Null when neither says one that is well formed. */
function parentOf(metadata: RequestMetadata, headers: readonly HeaderPair[]): SpanContext | null {
  const [caller] = metadata.get("traceparent");
  const own = caller === undefined ? headers.find(([name]) => name === "traceparent")?.[1] : caller.toString();
  const parent = own === undefined ? null : parseTraceParent(textOf(own));
  return parent === null ? null : { ...parent, isRemote: true };
}

import { attributesOf, type Collector, startCollector } from "./otlp-collector.ts";

/** As far as it is looked at: opentelemetry/proto/collector/trace/v1 and trace/v1. */
const PROTO = `
message Request { repeated ResourceSpans resource_spans = 1; }
message ResourceSpans { Resource resource = 1; repeated ScopeSpans scope_spans = 2; }
message ScopeSpans { Scope scope = 1; repeated Span spans = 2; }
message Span { bytes trace_id = 1; bytes span_id = 2; bytes parent_span_id = 4; string name = 5; int32 kind = 6;
  fixed64 start_time_unix_nano = 7; fixed64 end_time_unix_nano = 8; repeated KeyValue attributes = 9; }`;

/** A span as it was sent; identifiers in hexadecimal, empty where there is none. */
export interface SentSpan {
  readonly service: unknown;
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId: string;
  readonly name: string;
  readonly kind: number;
  readonly startTimeUnixNano: string;
  readonly endTimeUnixNano: string;
  readonly attributes: Record<string, unknown>;
}

type Pairs = Parameters<typeof attributesOf>[0];
type Received = Pick<SentSpan, "name" | "kind" | "startTimeUnixNano" | "endTimeUnixNano"> &
  Readonly<Record<"traceId" | "spanId" | "parentSpanId", Uint8Array | undefined>> & { readonly attributes: Pairs };
interface ResourceSpans {
  readonly resource: { readonly attributes: Pairs };
  readonly scopeSpans: readonly { readonly spans: readonly Received[] }[];
}

/** A collector of traces, and the spans that it took. */
export async function collectSpans(): Promise<{ readonly collector: Collector; readonly spans: readonly SentSpan[] }> {
  const spans: SentSpan[] = [];
  const collector = await startCollector("/v1/traces", PROTO, (message) => {
    for (const { resource, scopeSpans } of message.resourceSpans as ResourceSpans[]) {
      const service = attributesOf(resource.attributes)["service.name"];
      for (const span of scopeSpans.flatMap((each) => each.spans)) spans.push(sent(service, span));
    }
  });
  return { collector, spans };
}

function sent(service: unknown, span: Received): SentSpan {
  const hex = (bytes: Uint8Array | undefined) => Buffer.from(bytes ?? []).toString("hex");
  return {
    ...span,
    service,
    traceId: hex(span.traceId),
    spanId: hex(span.spanId),
    parentSpanId: hex(span.parentSpanId),
    attributes: attributesOf(span.attributes),
  };
}

import { Counter, type Registry } from "prom-client";
import type { SpanCounts } from "./check-tracer.ts";

/** What became of the spans of Checks. */
export function registerTraceMetrics(registry: Registry, counts: SpanCounts): void {
  new Counter({
    name: "sallyport_spans_total",
    help: "Spans of Checks: sent, or lost because too many were on their way (full) or they were not taken (failed).",
    labelNames: ["result"],
    registers: [registry],
    collect() {
      this.reset();
      for (const [result, count] of Object.entries(counts)) this.inc({ result }, count);
    },
  });
}

import type { Registry } from "prom-client";
import type { Page } from "./page.ts";

/** `/metrics`, in the text format of Prometheus. */
export async function metricsPage(registry: Registry): Promise<Page> {
  return { status: 200, type: registry.contentType, body: await registry.metrics() };
}

import { expect, it } from "vitest";
import { requestHttp1 } from "../../src/cli/demo/client.ts";
import { startLab } from "../../src/cli/demo/lab.ts";
import { E2E_POLICIES } from "../support/gateway.ts";
import { collectSpans } from "../support/otlp-spans.ts";

const GATEWAY = "egress-gateway";

/** Has each HTTP listener trace each request, to this collector. */
function traced(bootstrap: object, endpoint: string): object {
  const tracing = {
    random_sampling: { value: 100 },
    provider: {
      name: "envoy.tracers.opentelemetry",
      typed_config: {
        "@type": "type.googleapis.com/envoy.config.trace.v3.OpenTelemetryConfig",
        service_name: GATEWAY,
        http_service: { http_uri: { uri: endpoint, cluster: "collector", timeout: "5s" } },
      },
    },
  };
  const address = { socket_address: { address: "127.0.0.1", port_value: Number(new URL(endpoint).port) } };
  const cluster = {
    name: "collector",
    type: "STATIC",
    load_assignment: { cluster_name: "collector", endpoints: [{ lb_endpoints: [{ endpoint: { address } }] }] },
  };
  const edited = JSON.parse(JSON.stringify(bootstrap), (_, value) =>
    String(value?.["@type"]).endsWith(".HttpConnectionManager") ? { ...value, tracing } : value,
  );
  edited.static_resources.clusters.push(cluster);
  return edited;
}

it("a Check's span is a child of Envoy's call, in the trace of the request", async () => {
  const { collector, spans } = await collectSpans();
  const lab = await startLab({
    policies: E2E_POLICIES,
    timeoutMs: 5_000,
    edit: (bootstrap) => traced(bootstrap, collector.endpoint),
    serve: { "traces-to": "otlp", "traces-otlp-endpoint": collector.endpoint },
  });
  try {
    const workload = await lab.workload("shop/cart");
    await requestHttp1(workload, lab.port("http", 80), "GET /", ["host: api.example.com"]);
    const own = () => spans.filter(({ service }) => service === "sallyport");
    const gateway = () => spans.filter(({ service }) => service === GATEWAY);
    await expect.poll(() => [own().length, gateway().length], { timeout: 60_000, interval: 200 }).toEqual([1, 2]);
    const [check] = own();
    const call = gateway().find(({ spanId }) => spanId === check?.parentSpanId);
    const request = gateway().find(({ spanId }) => spanId === call?.parentSpanId);
    expect(request?.parentSpanId).toBe("");
    expect(new Set(spans.map(({ traceId }) => traceId)).size).toBe(1);
    expect(check?.attributes["sallyport.decision.id"]).toBe((await lab.records())[0]?.id);
  } finally {
    await lab.close();
    await collector.close();
  }
}, 120_000);

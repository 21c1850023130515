import { afterEach, expect, it } from "vitest";
import { createCheckTracer } from "../../src/server/check-tracer.ts";
import { collectSpans } from "../support/otlp-spans.ts";
import { startServing } from "../support/serve.ts";
import {
  type Answering,
  CHECKOUT,
  type CheckClient,
  connectClient,
  decision,
  httpCheck,
  startAnswering,
  told,
} from "./harness.ts";

const SERVER = 2;
const TIME = Date.parse("2026-11-23T12:00:00.123Z");
const [TRACE, OTHER] = ["4bf92f3577b34da6a3ce929d0e0e4736", "0af7651916cd43dd8448eb211c80319c"];
const [PARENT, OTHER_PARENT] = ["00f067aa0ba902b7", "b7ad6b7169203331"];
const traceparent = (trace: string, parent: string, flags = "01") => `00-${trace}-${parent}-${flags}`;

const closing: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});

/** A server with a tracer, and a collector that has what came. */
async function tracing(ratio: number) {
  const { collector, spans } = await collectSpans();
  const tracer = createCheckTracer({ endpoint: collector.endpoint, ratio, version: "1.2.3" });
  let again = (): void => {};
  const engine = { revision: "r1", headers: [], decide: () => decision() } as never;
  const server: Answering = await startAnswering(engine, {
    trace(...check) {
      again = () => tracer.trace(...check);
      again();
    },
    now: () => TIME,
  });
  const client: CheckClient = connectClient(server.address);
  closing.push(
    () => collector.close(),
    () => tracer.close(),
    () => server.close(),
    () => client.close(),
  );
  return { spans, collector, tracer, server, client, again: () => again() };
}

it("joins the gateway's trace: its gRPC client's span is the parent, or else the request's", async () => {
  const { spans, tracer, server, client } = await tracing(0);
  const headers = [["traceparent", traceparent(OTHER, OTHER_PARENT)]] as const;
  await client.check(httpCheck({ path: "/v1/charges?card=4111", headers }), {
    traceparent: traceparent(TRACE, PARENT),
  });
  await client.check(httpCheck({ headers }));
  await tracer.close();
  expect(spans.map(({ traceId, parentSpanId }) => [traceId, parentSpanId])).toEqual([
    [TRACE, PARENT],
    [OTHER, OTHER_PARENT],
  ]);
  const [span] = spans;
  expect(span).toMatchObject({ name: "envoy.service.auth.v3.Authorization/Check", kind: SERVER });
  expect(span?.startTimeUnixNano).toBe(`${TIME}000000`);
  expect(BigInt(span?.endTimeUnixNano ?? 0)).toBeGreaterThan(BigInt(span?.startTimeUnixNano ?? 0));
  expect(span?.attributes).toEqual({
    "sallyport.decision.id": server.records()[0]?.id,
    "sallyport.revision": "r1",
    "sallyport.subject": CHECKOUT,
    "sallyport.effect": "allow",
    "sallyport.shadow": "allow",
    "sallyport.reason": "allowed-by-rule",
    "sallyport.rules": { values: [{ stringValue: "payments/stripe/charge" }] },
    "server.address": "api.stripe.com",
    "server.port": "80",
    "network.protocol.name": "http",
    "http.request.method": "GET",
    "url.path": "/v1/charges",
  });
  expect(tracer.counts).toEqual({ sent: 2, full: 0, failed: 0 });
});

it("is sampled by the parent's flag, and without a parent by the ratio", async () => {
  const [none, all] = [await tracing(0), await tracing(1)];
  for (const { client } of [none, all]) {
    await client.check(httpCheck(), { traceparent: traceparent(TRACE, PARENT, "00") });
    await client.check(httpCheck(), { traceparent: traceparent(OTHER, OTHER_PARENT) });
    await client.check(httpCheck());
    await client.check(httpCheck(), { traceparent: `00-${"0".repeat(32)}-${PARENT}-01` });
    await client.check(httpCheck({ headers: [["traceparent", Uint8Array.of(0xff, 0x30)]] }));
  }
  await Promise.all([none.tracer.close(), all.tracer.close()]);
  expect(none.spans.map(({ traceId }) => traceId)).toEqual([OTHER]);
  expect(all.spans.map(({ parentSpanId }) => parentSpanId)).toEqual([OTHER_PARENT, "", "", ""]);
  expect(new Set(all.spans.map(({ traceId }) => traceId)).size).toBe(4);
});

it("counts as lost what the collector does not take", async () => {
  const { spans, collector, tracer, client } = await tracing(1);
  collector.status = 400;
  for (let n = 0; n < 3; n += 1) expect(told(await client.check(httpCheck())).effect).toBe("allow");
  await expect.poll(() => tracer.counts, { timeout: 20_000 }).toEqual({ sent: 0, full: 0, failed: 3 });
  collector.status = 200;
  await client.check(httpCheck());
  await expect.poll(() => tracer.counts, { timeout: 20_000 }).toEqual({ sent: 1, full: 0, failed: 3 });
  expect(spans.length).toBe(1);
}, 60_000);

it("answers on, and holds no more than 2,048 spans, while the collector says nothing", async () => {
  const { collector, tracer, client, again } = await tracing(1);
  collector.silent = true;
  await client.check(httpCheck());
  for (let n = 0; n < 2_500; n += 1) again();
  for (let n = 0; n < 3; n += 1) expect(told(await client.check(httpCheck())).effect).toBe("allow");
  expect(tracer.counts).toEqual({ sent: 0, full: 1 + 2_500 + 3 - 2_048, failed: 0 });
  const before = performance.now();
  await tracer.close();
  expect(performance.now() - before).toBeLessThan(10_000);
}, 60_000);

it("never fails a Check, whatever it is told", () => {
  const tracer = createCheckTracer({ endpoint: "http://127.0.0.1:9/v1/traces", ratio: 1, version: "1" });
  closing.push(() => tracer.close());
  const broken = () => {
    throw new Error("broken");
  };
  tracer.trace({ get: broken }, [], { head: "", tail: "" }, null as never, 0);
  expect(tracer.counts).toEqual({ sent: 0, full: 0, failed: 1 });
});

it("is what `serve` does when told to, up to the last Check before its end", async () => {
  const { collector, spans } = await collectSpans();
  closing.push(() => collector.close());
  const flags = { "traces-to": "otlp", "traces-otlp-endpoint": collector.endpoint, "audit-to": "none" };
  const { child, address, metric } = await startServing(flags);
  closing.push(() => child.stop("SIGKILL"));
  const client = connectClient(address);
  await client.check(httpCheck(), { traceparent: traceparent(TRACE, PARENT) });
  await expect.poll(() => metric('sallyport_spans_total{result="sent"}'), { timeout: 20_000 }).toBe(1);
  await client.check(httpCheck(), { traceparent: traceparent(OTHER, OTHER_PARENT) });
  client.close();
  await child.stop();
  expect(spans.map(({ service, traceId }) => `${service} ${traceId}`)).toEqual([
    `sallyport ${TRACE}`,
    `sallyport ${OTHER}`,
  ]);
}, 60_000);

import { once } from "node:events";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import protobuf from "protobufjs";
import { afterEach, expect, it } from "vitest";
import { createOtlpSink } from "../../src/audit/otlp-sink.ts";
import { createReshape } from "../../src/audit/shape.ts";
import type { AuditSink } from "../../src/audit/sink.ts";
import { HOOKS } from "./fixtures.ts";
import { recordOf } from "./records.ts";

/** As far as it is looked at: opentelemetry/proto/collector/logs/v1 and logs/v1. */
const PROTO = `syntax = "proto3";
message Request { repeated ResourceLogs resource_logs = 1; }
message ResourceLogs { Resource resource = 1; repeated ScopeLogs scope_logs = 2; }
message Resource { repeated KeyValue attributes = 1; }
message ScopeLogs { Scope scope = 1; repeated LogRecord log_records = 2; }
message Scope { string name = 1; string version = 2; }
message LogRecord { fixed64 time_unix_nano = 1; int32 severity_number = 2; string severity_text = 3; AnyValue body = 5;
  repeated KeyValue attributes = 6; string event_name = 12; }
message KeyValue { string key = 1; AnyValue value = 2; }
message AnyValue { oneof value { string string_value = 1; bool bool_value = 2; int64 int_value = 3; double double_value = 4; ArrayValue array_value = 5; } }
message ArrayValue { repeated AnyValue values = 1; }
message Response { PartialSuccess partial_success = 1; }
message PartialSuccess { int64 rejected_log_records = 1; string error_message = 2; }`;
const { root } = protobuf.parse(PROTO);
const REQUEST = root.lookupType("Request");

interface Collected {
  readonly body: string;
  readonly attributes: Readonly<Record<string, unknown>>;
  readonly eventName: string;
  readonly severityText: string;
  readonly timeUnixNano: string;
}

/** A collector: what the protocol demands of one, and nothing else. */
async function startCollector() {
  const records: Collected[] = [];
  const scopes = new Set<string>();
  const collector = { records, scopes, status: 200, rejects: 0, endpoint: "" };
  const server: Server = createServer(async (request, response) => {
    const parts: Buffer[] = [];
    for await (const part of request) parts.push(part);
    expect([request.method, request.url, request.headers["content-type"]]).toEqual([
      "POST",
      "/v1/logs",
      "application/x-protobuf",
    ]);
    if (collector.status !== 200) {
      response.writeHead(collector.status).end();
      return;
    }
    const message = REQUEST.toObject(REQUEST.decode(Buffer.concat(parts)), { longs: String, arrays: true });
    for (const resource of message.resourceLogs) {
      for (const { scope, logRecords } of resource.scopeLogs) {
        scopes.add(`${attributesOf(resource.resource.attributes)["service.name"]} ${scope.name}`);
        for (const each of logRecords) {
          records.push({ ...each, body: each.body.stringValue, attributes: attributesOf(each.attributes) });
        }
      }
    }
    const type = root.lookupType("Response");
    const answer =
      collector.rejects === 0
        ? {}
        : { partialSuccess: { rejectedLogRecords: collector.rejects, errorMessage: "too many" } };
    response
      .writeHead(200, { "content-type": "application/x-protobuf" })
      .end(type.encode(type.fromObject(answer)).finish());
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  collector.endpoint = `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1/logs`;
  closing.push(
    () => new Promise((done) => server.close(done)),
    () => server.closeAllConnections(),
  );
  return collector;
}

function attributesOf(pairs: readonly { key: string; value: Record<string, unknown> }[]): Record<string, unknown> {
  return Object.fromEntries(pairs.map(({ key, value }) => [key, Object.values(value)[0]]));
}

const closing: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});

function openSink(endpoint: string, warnings: string[] = [], shape: "sallyport" | "ocsf" = "sallyport"): AuditSink {
  const hooks = { ...HOOKS, warn: (message: string) => warnings.push(message) };
  const sink = createOtlpSink({ endpoint, reshape: createReshape(shape, "1"), version: "1.2.3" }, hooks);
  closing.push(() => sink.close());
  return sink;
}

const TIME = Date.parse("2026-11-23T12:00:00.123Z");

it("sends each line as a log record with the line as its body", async () => {
  const collector = await startCollector();
  const sink = openSink(collector.endpoint);
  const lines = Array.from({ length: 300 }, (_, n) => recordOf({ timeMs: TIME, workload: `w${n}`, rules: ["a/b/c"] }));
  lines.push(recordOf({ timeMs: TIME, effect: "deny", protocol: "tcp" }));
  for (const line of lines) sink.write(line);
  await sink.flush();
  expect(sink.state).toMatchObject({ taken: 301, written: 301, failed: 0, failure: null });
  expect(collector.records.map(({ body }) => body)).toEqual(lines);
  expect([...collector.scopes]).toEqual(["sallyport sallyport.audit"]);
  expect(collector.records[0]).toMatchObject({
    eventName: "sallyport.decision",
    severityText: "INFO",
    timeUnixNano: `${TIME}000000`,
    attributes: {
      "sallyport.effect": "allow",
      "server.address": "api.example.com",
      "server.port": "443",
      "url.path": "/v1",
    },
  });
  expect(collector.records.at(-1)).toMatchObject({
    severityText: "WARN",
    attributes: { "network.protocol.name": "tcp" },
  });
});

it("counts as lost what the collector does not take, and says so until it takes again", async () => {
  const collector = await startCollector();
  const sink = openSink(collector.endpoint, [], "ocsf");
  collector.status = 400;
  sink.write(recordOf({ timeMs: TIME }));
  await sink.flush();
  expect(sink.state).toMatchObject({ taken: 1, written: 0, failed: 1 });
  expect(sink.state.failure).toContain("did not take it");
  collector.status = 200;
  sink.write(recordOf({ timeMs: TIME }));
  await sink.flush();
  expect(sink.state).toMatchObject({ taken: 2, written: 1, failed: 1, failure: null });
  expect(collector.records.map(({ eventName }) => eventName)).toEqual(["sallyport.gap", "sallyport.decision"]);
  expect(JSON.parse(collector.records[1]?.body ?? "")).toMatchObject({ class_uid: 4002 });
});

it("tries again when the collector is busy, and warns of records that it refused", async () => {
  const collector = await startCollector();
  const warnings: string[] = [];
  const sink = openSink(collector.endpoint, warnings);
  collector.status = 503;
  sink.write(recordOf({ timeMs: TIME }));
  const flushed = sink.flush();
  setTimeout(() => {
    collector.status = 200;
    collector.rejects = 1;
  }, 500);
  await flushed;
  expect(sink.state).toMatchObject({ taken: 1, written: 1, failed: 0 });
  expect(warnings.join()).toContain("too many");
}, 20_000);

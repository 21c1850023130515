import { afterEach, expect, it } from "vitest";
import { createOtlpSink } from "../../src/audit/otlp-sink.ts";
import { createReshape } from "../../src/audit/shape.ts";
import type { AuditSink } from "../../src/audit/sink.ts";
import { attributesOf, startCollector } from "../support/otlp-collector.ts";
import { HOOKS } from "./fixtures.ts";
import { recordOf } from "./records.ts";

/** As far as it is looked at: opentelemetry/proto/collector/logs/v1 and logs/v1. */
const PROTO = `
message Request { repeated ResourceLogs resource_logs = 1; }
message ResourceLogs { Resource resource = 1; repeated ScopeLogs scope_logs = 2; }
message ScopeLogs { Scope scope = 1; repeated LogRecord log_records = 2; }
message LogRecord { fixed64 time_unix_nano = 1; int32 severity_number = 2; string severity_text = 3; AnyValue body = 5;
  repeated KeyValue attributes = 6; string event_name = 12; }`;

interface Collected {
  readonly body: string;
  readonly attributes: Readonly<Record<string, unknown>>;
  readonly eventName: string;
  readonly severityText: string;
  readonly timeUnixNano: string;
}

/** What is sent to a collector. */
interface ResourceLogs {
  readonly resource: { readonly attributes: Parameters<typeof attributesOf>[0] };
  readonly scopeLogs: readonly {
    readonly scope: { readonly name: string };
    readonly logRecords: readonly (Omit<Collected, "body" | "attributes"> & {
      readonly body: { readonly stringValue: string };
      readonly attributes: Parameters<typeof attributesOf>[0];
    })[];
  }[];
}

/** A collector that keeps what it took. */
async function collecting() {
  const records: Collected[] = [];
  const scopes = new Set<string>();
  const collector = await startCollector("/v1/logs", PROTO, (message) => {
    for (const { resource, scopeLogs } of message.resourceLogs as ResourceLogs[]) {
      for (const { scope, logRecords } of scopeLogs) {
        scopes.add(`${attributesOf(resource.attributes)["service.name"]} ${scope.name}`);
        for (const each of logRecords) {
          records.push({ ...each, body: each.body.stringValue, attributes: attributesOf(each.attributes) });
        }
      }
    }
  });
  closing.push(() => collector.close());
  return { collector, records, scopes };
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
  const { collector, records, scopes } = await collecting();
  const sink = openSink(collector.endpoint);
  const lines = Array.from({ length: 300 }, (_, n) => recordOf({ timeMs: TIME, workload: `w${n}`, rules: ["a/b/c"] }));
  lines.push(recordOf({ timeMs: TIME, effect: "deny", protocol: "tcp" }));
  for (const line of lines) sink.write(line);
  await sink.flush();
  expect(sink.state).toMatchObject({ taken: 301, written: 301, failed: 0, failure: null });
  expect(records.map(({ body }) => body)).toEqual(lines);
  expect([...scopes]).toEqual(["sallyport sallyport.audit"]);
  expect(records[0]).toMatchObject({
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
  expect(records.at(-1)).toMatchObject({
    severityText: "WARN",
    attributes: { "network.protocol.name": "tcp" },
  });
});

it("counts as lost what the collector does not take, and says so until it takes again", async () => {
  const { collector, records } = await collecting();
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
  expect(records.map(({ eventName }) => eventName)).toEqual(["sallyport.gap", "sallyport.decision"]);
  expect(JSON.parse(records[1]?.body ?? "")).toMatchObject({ class_uid: 4002 });
});

it("tries again when the collector is busy, and warns of records that it refused", async () => {
  const { collector } = await collecting();
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

import { once } from "node:events";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import protobuf from "protobufjs";
import { expect } from "vitest";

/** What all signals share, as far as it is looked at: opentelemetry/proto/common/v1 and resource/v1. */
const COMMON = `
message Resource { repeated KeyValue attributes = 1; }
message Scope { string name = 1; string version = 2; }
message KeyValue { string key = 1; AnyValue value = 2; }
message AnyValue { oneof value { string string_value = 1; bool bool_value = 2; int64 int_value = 3; double double_value = 4; ArrayValue array_value = 5; } }
message ArrayValue { repeated AnyValue values = 1; }
message Response { PartialSuccess partial_success = 1; }
message PartialSuccess { int64 rejected = 1; string error_message = 2; }`;

/** A collector: what the protocol demands of one, and nothing else. */
export interface Collector {
  readonly endpoint: string;
  /** What it answers; anything but 200 takes nothing. */
  status: number;
  /** So many it says it refused of each request that it takes. */
  rejects: number;
  /** While true nothing is answered. */
  silent: boolean;
  close(): Promise<void>;
}

/** Starts one for a signal: the messages of its proto file (with `Request`), and what takes a request, as an object. */
export async function startCollector(
  path: string,
  proto: string,
  take: (message: Record<string, unknown>) => void,
): Promise<Collector> {
  const { root } = protobuf.parse(`syntax = "proto3";${proto}${COMMON}`);
  const [request, response] = [root.lookupType("Request"), root.lookupType("Response")];
  const server: Server = createServer(async (received, answer) => {
    const parts: Buffer[] = [];
    for await (const part of received) parts.push(part);
    expect([received.method, received.url, received.headers["content-type"]]).toEqual([
      "POST",
      path,
      "application/x-protobuf",
    ]);
    if (collector.silent) return;
    if (collector.status !== 200) {
      answer.writeHead(collector.status).end();
      return;
    }
    take(request.toObject(request.decode(Buffer.concat(parts)), { longs: String, arrays: true }));
    const { rejects } = collector;
    const told = rejects === 0 ? {} : { partialSuccess: { rejected: rejects, errorMessage: "too many" } };
    answer
      .writeHead(200, { "content-type": "application/x-protobuf" })
      .end(response.encode(response.fromObject(told)).finish());
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const collector: Collector = {
    endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}${path}`,
    status: 200,
    rejects: 0,
    silent: false,
    close() {
      server.closeAllConnections();
      return new Promise((done) => server.close(() => done()));
    },
  };
  return collector;
}

/** Attributes as an object, each value as it is. */
export function attributesOf(
  pairs: readonly { key: string; value: Record<string, unknown> }[],
): Record<string, unknown> {
  return Object.fromEntries(pairs.map(({ key, value }) => [key, Object.values(value)[0]]));
}

import { once } from "node:events";
import { readFileSync } from "node:fs";
import { type ClientHttp2Session, connect } from "node:http2";
import { Ajv } from "ajv";
import { Registry } from "prom-client";
import { afterEach, expect, test } from "vitest";
import type { AuditSink } from "../../src/audit/sink.ts";
import type { AdmissionOptions } from "../../src/server/admission.ts";
import { watchOverload } from "../../src/server/overload-watch.ts";
import { memorySink, trailOver } from "../audit/fixtures.ts";
import { CONTRACT, decision, httpCheck, startAnswering } from "./harness.ts";

const CHECK = CONTRACT.authorization.Check.path;
const WATCH = "/grpc.health.v1.Health/Watch";
const REFUSED_STREAM = 7;
const RESOURCE_EXHAUSTED = "8";

const SCHEMA = JSON.parse(readFileSync(new URL("../../docs/audit.schema.json", import.meta.url), "utf8"));
const validate = new Ajv({ strict: false, allowUnionTypes: true }).compile(SCHEMA);

const closing: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});

/** A sink that makes lines durable when it is told to. */
function slowSink() {
  const { lines, state, ...kept } = memorySink();
  let waiting: ((durable: boolean) => void)[] = [];
  const sink: AuditSink = {
    ...kept,
    state,
    write(line, settled) {
      lines.push(line);
      if (settled !== undefined) waiting.push(settled);
    },
  };
  return {
    sink,
    lines,
    settle() {
      const all = waiting;
      waiting = [];
      for (const each of all) each(true);
    },
  };
}

/** A server in mode `strict` whose records are durable when `settle` is called. */
async function startSlow(overload: AdmissionOptions) {
  const { sink, lines, settle } = slowSink();
  const trail = await trailOver("strict", { slow: async () => sink });
  const engine = { revision: "r", headers: [], decide: () => decision() };
  const answering = await startAnswering(engine, { trail, overload });
  closing.push(() => answering.close());
  return { answering, lines, settle };
}

async function connectTo(address: string): Promise<ClientHttp2Session> {
  const session = connect(`http://${address}`);
  session.on("error", () => undefined);
  closing.push(() => session.destroy());
  await once(session, "connect");
  return session;
}

/** What came of a call, once something has. `code` = how its stream was ended. */
function call(session: ClientHttp2Session, path: string, message: Buffer) {
  const stream = session.request({
    ":method": "POST",
    ":path": path,
    "content-type": "application/grpc",
    te: "trailers",
  });
  const head = Buffer.alloc(5);
  head.writeUInt32BE(message.length, 1);
  stream.on("error", () => undefined);
  stream.resume().end(Buffer.concat([head, message]));
  return new Promise<{ code: number; status: string }>((resolve) => {
    let status = "";
    stream.on("response", (headers) => {
      status = String(headers["grpc-status"] ?? "");
    });
    stream.on("trailers", (headers) => {
      status = String(headers["grpc-status"] ?? "");
    });
    stream.on("close", () => resolve({ code: stream.rstCode, status }));
  });
}

const message = CONTRACT.authorizationClient.Check?.requestSerialize(httpCheck()) ?? Buffer.alloc(0);
const check = (session: ClientHttp2Session) => call(session, CHECK, message);
const sayHello = (session: ClientHttp2Session) => new Promise((resolve) => session.ping(resolve));

test("Checks beyond those that may wait for their records are refused at once, on a connection that lives on", async () => {
  const { answering, lines, settle } = await startSlow({ maxWaitMs: 60_000, maxInFlight: 3 });
  const session = await connectTo(answering.address);
  const taken = [check(session), check(session), check(session)];
  await sayHello(session);
  const refused = await Promise.all([check(session), check(session)]);
  // Before any record is durable, so without waiting for those that are taken.
  expect(refused).toEqual([
    { code: REFUSED_STREAM, status: "" },
    { code: REFUSED_STREAM, status: "" },
  ]);
  expect(answering.admission.refused["in-flight"]).toBe(2);
  expect(answering.admission.inFlight).toBe(3);
  settle();
  expect(await Promise.all(taken)).toEqual(Array.from({ length: 3 }, () => ({ code: 0, status: "0" })));
  expect(answering.admission.inFlight).toBe(0);
  // Of what was not decided there is no record, of all that was there is one.
  expect(lines.filter((line) => line.includes('"decision"') || line.includes('"effect"'))).toHaveLength(3);
  const later = check(session);
  await sayHello(session);
  settle();
  expect(await later).toEqual({ code: 0, status: "0" });
  expect(session.closed || session.destroyed).toBe(false);
});

test("on a connection that carries something else too, they are refused with a status and the rest stays", async () => {
  const { answering, settle } = await startSlow({ maxWaitMs: 60_000, maxInFlight: 1 });
  const session = await connectTo(answering.address);
  const watching = call(session, WATCH, Buffer.alloc(0));
  const taken = check(session);
  await sayHello(session);
  expect(await check(session)).toMatchObject({ status: RESOURCE_EXHAUSTED });
  const health = session.request({
    ":method": "POST",
    ":path": "/grpc.health.v1.Health/Check",
    "content-type": "application/grpc",
    te: "trailers",
  });
  health.end(Buffer.alloc(5));
  const [headers] = await once(health, "response");
  expect(headers[":status"]).toBe(200);
  settle();
  expect(await taken).toEqual({ code: 0, status: "0" });
  expect(await Promise.race([watching, Promise.resolve("going on")])).toBe("going on");
});

test("thousands that are refused on one connection do not end it", async () => {
  const { answering, settle } = await startSlow({ maxWaitMs: 60_000, maxInFlight: 1 });
  const session = await connectTo(answering.address);
  const taken = check(session);
  await sayHello(session);
  let refused = 0;
  for (let n = 0; n < 10; n += 1) {
    const all = await Promise.all(Array.from({ length: 300 }, () => check(session)));
    refused += all.filter(({ code }) => code === REFUSED_STREAM).length;
  }
  expect(refused).toBe(3_000);
  settle();
  expect(await taken).toEqual({ code: 0, status: "0" });
});

test("the trail and the metrics tell how many were refused and why, the trail once for many", async () => {
  const refused = { waited: 0, overload: 0, "in-flight": 0, stalled: 0 };
  const { sink, lines } = slowSink();
  const trail = await trailOver("drop", { slow: async () => sink });
  const registry = new Registry();
  const warnings: unknown[] = [];
  const log = { warn: (told: unknown) => void warnings.push(told) };
  const watch = watchOverload({ admission: { refused, inFlight: 5 }, registry, trail, log: log as never });
  refused.waited += 40;
  refused.stalled += 2;
  watch.close();
  const event = { event: "checks-refused", refused: { waited: 40, overload: 0, "in-flight": 0, stalled: 2 } };
  expect(lines.map((line) => JSON.parse(line))).toEqual([expect.objectContaining(event)]);
  expect(lines.every((line) => validate(JSON.parse(line)))).toBe(true);
  expect(warnings).toEqual([{ refused: event.refused }]);
  const text = await registry.metrics();
  expect(text).toContain('sallyport_checks_refused_total{reason="waited"} 40');
  expect(text).toContain("sallyport_checks_in_flight 5");
});

test("a connection that is told to end does end, also while Checks are refused", async () => {
  const { answering, settle } = await startSlow({ maxWaitMs: 60_000, maxInFlight: 1 });
  const session = await connectTo(answering.address);
  const taken = check(session);
  await sayHello(session);
  expect((await check(session)).code).toBe(REFUSED_STREAM);
  const gone = once(session, "close");
  const stopped = answering.shutdown(5_000);
  settle();
  expect(await taken).toEqual({ code: 0, status: "0" });
  await stopped;
  await gone;
});

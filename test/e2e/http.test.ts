import { readFile } from "node:fs/promises";
import { describe, expect, it } from "vitest";
import { requestHttp1, requestHttp2 } from "../../src/cli/demo/client.ts";
import { accessLog, eventually, useGateway } from "../support/gateway.ts";
import { DECISIONS, type HttpCase, PATHS, TARGETS } from "./http-case.ts";

const gateway = useGateway();
let asked = 0;

async function send({ as, port = 80, line = "", headers = [], h2 }: HttpCase["send"]) {
  const caller = await gateway.as(as);
  const at = gateway.lab.port(port === 4317 ? "grpc" : "http", port);
  return h2 === undefined
    ? requestHttp1(caller, at, line, headers)
    : requestHttp2(caller, at, { ":scheme": "https", ...h2 });
}

/** The host that the outside was asked for, without its spelling. */
function hostSeen(): string | undefined {
  const authority = gateway.lab.upstream.seen.at(-1)?.host;
  return authority?.toLowerCase().replace(/:\d+$/, "").replace(/\.$/, "");
}

/** Exactly one record, the right answer, and nothing outside unless the answer came from there. */
async function judge(each: HttpCase): Promise<void> {
  asked += 1;
  const reached = gateway.lab.upstream.seen.length;
  const { answer, records } = await gateway.outcome(() => send(each.send), 1);
  const { status, grpcStatus, reason, rules } = each.expect;
  const outside = status === 200 && grpcStatus === undefined ? 1 : 0;
  expect(records.map((record) => record.reason)).toEqual([reason]);
  expect(answer.status).toBe(status);
  expect(gateway.lab.upstream.seen.length - reached).toBe(outside);
  expect(answer.headers["grpc-status"]).toBe(grpcStatus);
  if (outside === 1) expect(hostSeen()).toBe(records[0]?.target.host);
  if (rules !== undefined) expect(records[0]?.rules).toEqual(rules);
  if (status === 403) expect(JSON.parse(answer.body)).toMatchObject({ effect: "deny", reason });
}

describe("decisions over HTTP", () => {
  it.each(DECISIONS)("$name: $expect.status $expect.reason", judge);
});

describe("what a caller says about its target", () => {
  it.each(TARGETS)("$name: $expect.status $expect.reason", judge);
});

describe("paths", () => {
  it.each(PATHS)("$name: $expect.status $expect.reason", judge);
});

describe("requests that Envoy itself refuses", () => {
  const lines = ["host: api.example.com"];
  const malformed = [
    {
      name: "a Host header with a control byte",
      line: "GET /v1/items/7",
      headers: ["host: api\u0001.example.com"],
      status: 400,
    },
    { name: "no Host header", line: "GET /v1/items/7", headers: [], status: 400 },
    { name: "a target that is no path", line: "OPTIONS *", headers: lines, status: 404 },
    { name: "a fragment in the path", line: "GET /v1/items/7#x", headers: lines, status: 400 },
    { name: "a NUL in a header", line: "GET /v1/items/7", headers: [...lines, "x-team: a\0"], status: 400 },
    {
      name: "two lengths",
      line: "POST /v1/items/7",
      headers: [...lines, "content-length: 0", "content-length: 5"],
      status: 400,
    },
    {
      name: "a length beside chunks",
      line: "POST /v1/items/7",
      headers: [...lines, "content-length: 4", "transfer-encoding: chunked"],
      status: 400,
    },
  ];
  it.each(malformed)("$name: $status, nobody is asked", async ({ line, headers, status }) => {
    const caller = await gateway.as("shop/checkout");
    const reached = gateway.lab.upstream.seen.length;
    const records = (await gateway.lab.records()).length;
    const answer = await requestHttp1(caller, gateway.lab.port("http", 80), line, headers);
    expect(answer.status).toBe(status);
    expect(gateway.lab.upstream.seen).toHaveLength(reached);
    expect(await gateway.lab.records()).toHaveLength(records);
  });
});

describe("what is left behind", () => {
  it("an allow adds nothing to the request, and no certificate or query leaves a trace where it should not", async () => {
    asked += 1;
    const caller = await gateway.as("shop/checkout");
    const headers = ["host: api.example.com", "x-forwarded-client-cert: forged", "x-mine: 1"];
    const send = () =>
      requestHttp1(caller, gateway.lab.port("http", 80), "GET /v1/items/7?card=never-on-record", headers);
    const { records } = await gateway.outcome(send, 1);
    const seen = gateway.lab.upstream.seen.at(-1);
    expect(seen?.path).toBe("/v1/items/7?card=never-on-record");
    expect(Object.keys(seen?.headers ?? {}).sort()).toEqual(["host", "x-forwarded-proto", "x-mine", "x-request-id"]);
    expect(records[0]?.target).toMatchObject({ path: "/v1/items/7" });
    expect(await readFile(gateway.lab.auditFile, "utf8")).not.toContain("never-on-record");
  });

  it("a refusal tells its decision id, which Envoy's access log has too", async () => {
    asked += 1;
    const caller = await gateway.as("shop/stranger");
    const send = () => requestHttp1(caller, gateway.lab.port("http", 80), "GET /v1/items/7", ["host: api.example.com"]);
    const { answer, records } = await gateway.outcome(send, 1);
    const id = records[0]?.id ?? "no record";
    expect(answer.headers["x-sallyport-decision-id"]).toBe(id);
    const log = await eventually(
      () => accessLog(gateway.lab),
      (text) => text.includes(id),
      15_000,
    );
    expect(log).toContain(id);
  });

  it("every decision of this file left one record with an id and a number of its own", async () => {
    const records = await gateway.lab.records();
    expect(new Set(records.map(({ id }) => id)).size).toBe(records.length);
    expect(records.length).toBe(asked);
  });
});

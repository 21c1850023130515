import { beforeEach, describe, expect, it } from "vitest";
import type { AuditTrail } from "../../src/audit/trail.ts";
import { LogEntry } from "../../src/server/gateway/decode-log-message.ts";
import { createGatewayRecorder, type GatewayRecorder } from "../../src/server/gateway/recorder.ts";
import { createSequences, type Sequences } from "../../src/server/gateway/sequences.ts";
import { memorySink, trailOver } from "../audit/fixtures.ts";

const WORKER = "0123456789abcdef0123456789abcdef";
const ID = "01a20ba3-a648-792d-9cd9-0ef142421ff0";
const OWN = { id: ID, worker: WORKER, number: 1, ns: 28_083, method: "GET", path: "/v1/charges" };
const SHARED = {
  revision: "sha256:aa",
  subject: "spiffe://cluster.local/ns/payments/sa/checkout",
  namespace: "payments",
  serviceAccount: "checkout",
  host: "api.stripe.com",
  port: 80,
  effect: "allow",
  shadow: "allow",
  reason: "allowed-by-rule",
  rules: ["payments/stripe/charge"],
  shadowRules: [],
  owner: "a@example.com",
  ticket: null,
};

/** An entry of which the filter tells these bytes. */
function entryOf(report: Uint8Array | string): LogEntry {
  const bytes = Buffer.from(report);
  const length = [(bytes.length & 127) | 128, bytes.length >> 7];
  return withState(Buffer.concat([Buffer.from([0x0a, ...length]), bytes]));
}

function withState(state: Buffer | null): LogEntry {
  return Object.assign(new LogEntry(), { report: state, status: 200, sentBytes: 5 });
}

const report = (own: object = {}, shared: object = {}): string =>
  JSON.stringify({ ...OWN, ...own, ...SHARED, ...shared });

let lines: string[] = [];
let counted: string[] = [];
let unreadable: unknown[] = [];
let sequences: Sequences;
let record: GatewayRecorder;
let trail: AuditTrail;
beforeEach(async () => {
  counted = [];
  unreadable = [];
  const sink = memorySink();
  lines = sink.lines;
  trail = await trailOver("batch", { memory: async () => sink });
  sequences = createSequences(
    () => 0,
    () => {},
  );
  record = createGatewayRecorder({
    trail,
    sequences,
    recordedHeaders: ["x-team"],
    counter:
      (...sort) =>
      () =>
        void counted.push(sort.join()),
    unreadable: (error) => unreadable.push(error),
  });
});

const last = () => JSON.parse(lines.at(-1) ?? "{}");

describe("an entry of a gateway's access log", () => {
  it("becomes the record that the server would have written, with what came of it", () => {
    const headers = { "x-team": "a, b", cookie: "never asked for" };
    record(entryOf(report({ headers, requestId: "r1" })), "spiffe://cluster.local/ns/istio-egress/sa/egress");
    expect(last()).toMatchObject({
      id: ID,
      time: new Date(0x01a20ba3a648).toISOString(),
      seat: "gateway",
      subject: { spiffeId: SHARED.subject, namespace: "payments", serviceAccount: "checkout" },
      target: { host: "api.stripe.com", port: 80, protocol: "http", method: "GET", path: "/v1/charges" },
      effect: "allow",
      rules: ["payments/stripe/charge"],
      gateway: "spiffe://cluster.local/ns/istio-egress/sa/egress",
      requestId: "r1",
      latencyUs: 28,
      headers: { "x-team": "a, b" },
      worker: WORKER,
      workerSeq: 1,
      outcome: { status: 200, sentBytes: 5 },
    });
    expect(lines.at(-1)).not.toContain("never asked for");
    expect(counted).toEqual(["allow,allowed-by-rule,allow"]);
  });

  it("of a question that the server was asked is on record already", () => {
    record(entryOf(JSON.stringify({ asked: true, worker: WORKER, number: 1 })), null);
    record(entryOf(report({ number: 2 })), null);
    expect(lines).toHaveLength(1);
    expect(sequences.told(WORKER, 2)).toBe(0);
  });

  it("without a decision, such as one that Envoy refused before, is not ours", () => {
    record(withState(null), null);
    expect([lines.length, unreadable.length]).toEqual([0, 0]);
  });

  it("whose path holds bytes that are no text is recorded as the server does", () => {
    const [before = "", after = ""] = report({ path: "/SPLIT" }).split("SPLIT");
    record(entryOf(Buffer.concat([Buffer.from(before), Buffer.from([0xff, 0x41]), Buffer.from(after)])), null);
    expect(last().target.path).toBe("/%FFA");
  });

  it("whose texts spell the report's own fields stays one record", () => {
    const path = '/","revision":"other","effect":"allow"';
    record(entryOf(report({ path, headers: { revision: "x", "x-team": ',"revision":' } }, { effect: "deny" })), null);
    expect(last()).toMatchObject({
      target: { path },
      effect: "deny",
      revision: "sha256:aa",
      headers: { "x-team": ',"revision":' },
    });
  });

  it.each([
    ["no JSON", "{"],
    ["no worker", report({ worker: "x" })],
    ["no number", report({ number: 0 })],
    ["a number that is none", report({ number: "7" })],
    ["no decision's id", report({ id: "x" })],
    ["an effect that there is not", report({}, { effect: "maybe" })],
    ["a reason that is no label", report({}, { reason: "x\ny" })],
    ["a field too many", report({}, { more: 1 })],
    ["no path", report({ path: 7 })],
    ["headers that are none", report({ headers: { a: 1 } })],
  ])("with %s is told of, and missing: nothing is recorded that nobody decided", (_, text) => {
    record(entryOf(text), null);
    expect([lines.length, unreadable.length]).toEqual([0, 1]);
    record(entryOf(report({ number: 2 })), null);
    expect(lines).toHaveLength(1);
  });

  it("that is no BytesValue is told of", () => {
    record(withState(Buffer.from([0x08, 0x01])), null);
    expect(unreadable).toHaveLength(1);
  });
});

import { readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Answer, type Caller, requestHttp1, requestHttp2 } from "../../src/cli/demo/client.ts";
import { type AuditRecord, type Lab, startLab } from "../../src/cli/demo/lab.ts";
import { dns, type San, uri } from "../../src/cli/demo/pki.ts";
import { freePorts } from "../../src/cli/demo/ports.ts";
import { createCanonicaliser } from "../../src/pdp/canonicaliser.ts";
import { readEngineModule } from "../../src/pdp/engine-module.ts";
import { loadPolicySet } from "../../src/policy/load.ts";
import { readPolicyDirectory } from "../../src/server/read-policies.ts";
import { E2E_POLICIES, eventually, everyWorker } from "../support/gateway.ts";
import { reachOf } from "../support/reach.ts";
import { decidedBy, figures, untilSeated } from "../support/seat.ts";
import { differences } from "./reach-gateway.ts";

const SHIPPED = new URL("../../policies", import.meta.url).pathname;
const LEASE_MS = 5_000;

const GET = (lab: Lab, caller: Caller, host: string, path = "/v1/charges") =>
  requestHttp1(caller, lab.port("http", 80), `GET ${path}`, [`host: ${host}`]);

/** What the server tells of the gateway's workers: each says with its next poll which revision it runs. */
async function leasesOf(lab: Lab): Promise<Record<string, boolean>> {
  const { server, gateways } = (await (await fetch(`http://127.0.0.1:${lab.adminPort}/v1/seats`)).json()) as {
    readonly server: { readonly revision: string };
    readonly gateways: readonly { readonly runs: string | null; readonly ageMs: number; readonly leaseMs: number }[];
  };
  return {
    some: gateways.length > 0,
    current: gateways.every(({ runs }) => runs === server.revision),
    fresh: gateways.every(({ ageMs, leaseMs }) => ageMs < leaseMs),
  };
}

describe("Envoy decides by itself", () => {
  it("as check says, for every workload, service and port of the shipped policies, and asks nobody", async () => {
    const { set } = loadPolicySet(await readPolicyDirectory(SHIPPED), createCanonicaliser(readEngineModule()));
    if (set === null) throw new Error("the shipped policies are refused");
    const lab = await startLab({ policies: SHIPPED, timeoutMs: 5_000, seat: "gateway" });
    try {
      const checkout = await lab.workload("payments/checkout");
      await untilSeated(lab, () => GET(lab, checkout, "api.stripe.com"));
      await expect.poll(() => leasesOf(lab), { timeout: 20_000 }).toEqual({ some: true, current: true, fresh: true });
      const asked = async () => (await decidedBy(lab, "server")).length;
      const before = await asked();
      expect(await differences(lab, reachOf(set), set.gateway.trustDomains[0] ?? "")).toEqual([]);
      expect(await asked()).toBe(before);
    } finally {
      await lab.close();
    }
  }, 180_000);
});

describe("the gateway seat and the server seat", () => {
  let labs: { readonly seated: Lab; readonly asking: Lab; readonly server: Lab } | null = null;
  beforeAll(async () => {
    const serve = { "audit-headers-include": "x-team" };
    const options = { policies: E2E_POLICIES, timeoutMs: 3_000, laxCallers: true, serve };
    const seated = await startLab({ ...options, seat: "gateway" });
    // Its policies never come, so that it asks about everything.
    const asking = await startLab({ ...options, seat: "gateway", between: async () => (await freePorts(1))[0] ?? 1 });
    labs = { seated, asking, server: await startLab(options) };
  }, 120_000);
  afterAll(async () => {
    if (labs !== null) await Promise.all(Object.values(labs).map((lab) => lab.close()));
  });

  it("answer the same, to the byte, whatever is asked, whether the gateway decides or asks", async () => {
    if (labs === null) throw new Error("no labs");
    const { seated, asking, server } = labs;
    const cart = "spiffe://cluster.local/ns/shop/sa/cart";
    const odds: readonly (readonly San[])[] = [
      [],
      [uri(cart), uri("spiffe://cluster.local/ns/shop/sa/web")],
      [uri(cart), uri(cart)],
      [uri(cart), dns("cart.example.com")],
      [uri(`${cart},spiffe://cluster.local/ns/shop/sa/web`)],
      [dns(cart)],
      [uri("-")],
    ];
    const who = ["shop/cart", "shop/web", "bank/app", "nobody/there", ...odds];
    const callersOf = (lab: Lab) =>
      Promise.all([
        ...who.map((each) => (typeof each === "string" ? lab.workload(each) : lab.caller(each))),
        { leaf: null, ca: lab.authorities.mesh.cert },
      ]);
    const [seatedAs, askingAs, serverAs] = await Promise.all([seated, asking, server].map(callersOf));
    const first = seatedAs?.[0];
    if (first === undefined) throw new Error("no callers");
    await untilSeated(seated, () => GET(seated, first, "api.example.com"));
    const hosts = hostsOf(await readFile(join(E2E_POLICIES, "services.yaml"), "utf8"));
    expect(hosts.length).toBeGreaterThan(3);
    const odd = [
      "api.example.com.",
      "API.EXAMPLE.COM",
      "10.0.0.1",
      "127.0.0.1:80",
      "x.svc.cluster.local",
      "a..b",
      "xn--a",
      "[::1]",
    ];
    const paths = ["/", "/v1/charges?q=1", "/a/../b", "/%2e%2e/x", "/a%2fb", "//x", "/;a=b", "*"];
    const headers = [[], ["x-team: a"], ["x-team: a", "x-team: b"], ["connection: upgrade", "upgrade: websocket"]];
    let compared = 0;
    for (let index = 0; index <= who.length; index += 1) {
      const isOdd = index >= who.length - odds.length;
      for (const host of isOdd ? hosts.slice(0, 4) : [...hosts, ...odd]) {
        for (const path of isOdd ? paths.slice(0, 3) : paths) {
          const extra = headers[compared % headers.length] ?? [];
          const traceparent = `traceparent: 00-${String(compared).padStart(32, "0")}-b7ad6b7169203331-01`;
          const known = [`host: ${host}`, `x-request-id: ${compared}`, traceparent, ...extra];
          const ask = (lab: Lab, callers: readonly Caller[] | undefined) =>
            requestHttp1(callers?.[index] ?? first, lab.port("http", 80), `GET ${path}`, known);
          const answers = await Promise.all([ask(seated, seatedAs), ask(asking, askingAs), ask(server, serverAs)]);
          const [here, asked, there] = answers.map(plain);
          expect(here, `decided: ${index} ${host}${path} ${extra}`).toEqual(there);
          expect(asked, `asked: ${index} ${host}${path} ${extra}`).toEqual(there);
          compared += 1;
        }
      }
    }
    expect(compared).toBeGreaterThan(300);
    await expectSameRecords(labs);
    // Headers as large as Envoy takes them, and as many.
    const large = [
      [`x-large: ${"x".repeat(50_000)}`],
      Array.from({ length: 90 }, (_, n) => `x-${n}: ${"y".repeat(500)}`),
      [`cookie: ${"c=é;".repeat(8_000)}`],
    ];
    for (const headers of large) {
      const ask = (lab: Lab, callers: readonly Caller[] | undefined) =>
        requestHttp1(callers?.[0] ?? first, lab.port("http", 80), "GET /", ["host: nowhere.example.org", ...headers]);
      const [here, asked, there] = (
        await Promise.all([ask(seated, seatedAs), ask(asking, askingAs), ask(server, serverAs)])
      ).map(plain);
      expect([here, asked]).toEqual([there, there]);
    }
    for (const lab of [seated, asking]) expect(lab.envoy.output()).not.toMatch(TRAP);
  }, 240_000);
});

/** What Envoy says when a filter has trapped. */
const TRAP = /wasm.*(failed|error|trap|unreachable)|Plugin configured to fail closed/i;

/** Hosts of a registry, wildcards with a name in place of the star. */
function hostsOf(text: string): readonly string[] {
  return [...text.matchAll(/^\s*(?:- |hosts: \[)([*\w.-]+\.[a-z]+)/gm)]
    .map(([, host = ""]) => host.replace("*", "some"))
    .slice(0, 8);
}

/** Each request left one record in each lab, which says the same but for when, by whom and how long. */
async function expectSameRecords(labs: Readonly<Record<"seated" | "asking" | "server", Lab>>) {
  const byRequest = async (lab: Lab) => {
    const records = (await lab.records()).filter(({ requestId }) => /^\d+$/.test(String(requestId)));
    return new Map(records.map((record) => [Number(record.requestId), record]));
  };
  // What Envoy refuses by itself, such as hosts that are none, is on record nowhere.
  const all = () => Promise.all([labs.server, labs.seated, labs.asking].map(byRequest));
  const isSame = (maps: readonly ReadonlyMap<number, AuditRecord>[]) =>
    new Set(maps.map(({ size }) => size)).size === 1;
  const [there = new Map<number, AuditRecord>(), here, asked] = await eventually(all, isSame, 5_000);
  expect(there.size).toBeGreaterThan(300);
  expect([here?.size, asked?.size]).toEqual([there.size, there.size]);
  for (const lab of Object.values(labs)) {
    const ids = (await lab.records()).map(({ id }) => id);
    expect(new Set(ids).size).toBe(ids.length);
  }
  let filtered = 0;
  for (const [n, expected] of there) {
    const record = here?.get(n);
    const outcome = record?.outcome as { readonly status: number } | undefined;
    if (record?.seat === "gateway") {
      filtered += 1;
      expect(
        outcome?.status === 200 || outcome?.status === 403 || outcome?.status === 404,
        JSON.stringify(record),
      ).toBe(true);
    }
    expect(shared(record)).toEqual(shared(expected));
    expect(asked?.get(n)?.seat).toBe("server");
    expect(shared(asked?.get(n))).toEqual(shared(expected));
  }
  expect(filtered).toBe(there.size);
}

const OWN = ["time", "id", "seq", "seat", "cacheHit", "latencyUs", "worker", "workerSeq", "outcome"];

function shared(record: AuditRecord | undefined): unknown {
  return Object.fromEntries(Object.entries(record ?? {}).filter(([name]) => !OWN.includes(name)));
}

/** What of an answer must not differ: everything but the decision's id and who answered when. */
function plain({ status, headers, body }: Answer): unknown {
  const id = headers["x-sallyport-decision-id"] ?? "";
  return {
    status,
    type: headers["content-type"],
    named: id !== "",
    body: id === "" ? body : body.replaceAll(id, "ID"),
  };
}

describe("what ends the right to decide", () => {
  let lab: Lab;
  let caller: Caller;
  const ask = () => GET(lab, caller, "api.stripe.com");
  const status = async () => (await ask()).status;
  const everywhere = (wanted: number, limitMs: number) => everyWorker(status, wanted, limitMs);
  beforeAll(async () => {
    lab = await startLab({ policies: SHIPPED, timeoutMs: 2_000, seat: "gateway" });
    caller = await lab.workload("payments/checkout");
    await untilSeated(lab, ask);
  }, 60_000);
  afterAll(() => lab.close());

  it("a revocation is in force within a lease, without a question", async () => {
    const file = join(lab.policies, "payments/stripe.yaml");
    const text = await readFile(file, "utf8");
    expect(await status()).toBe(200);
    await rm(file);
    expect(await everywhere(403, LEASE_MS + 2_000)).toBe(true);
    await writeFile(file, text);
    expect(await everywhere(200, LEASE_MS + 2_000)).toBe(true);
  }, 60_000);

  it("a server that is gone: decided for a lease, then refused, then decided again", async () => {
    await untilSeated(lab, ask);
    await lab.server.stop("SIGKILL");
    const begun = Date.now();
    expect(await status()).toBe(200);
    const refused = await eventually(status, (each) => each === 503, LEASE_MS + 4_000);
    expect([refused, Date.now() - begun > 2_000]).toEqual([503, true]);
    // In every worker.
    expect(await everywhere(503, LEASE_MS)).toBe(true);
    await lab.startServer();
    expect(await everywhere(200, 10_000)).toBe(true);
    await untilSeated(lab, ask);
  }, 90_000);

  it("is told in Envoy's own figures", async () => {
    const before = await figures(lab);
    for (let n = 0; n < 7; n += 1) expect(await status()).toBe(200);
    for (let n = 0; n < 5; n += 1) await GET(lab, caller, "nowhere.example.org");
    const after = await figures(lab);
    const grown = (name: string) => (after[name] ?? 0) - (before[name] ?? 0);
    expect(["allowed", "denied", "asked", "failed"].map(grown)).toEqual([7, 5, 0, 0]);
    expect(after.failed).toBeGreaterThan(0);
    expect(after.asked).toBeGreaterThan(0);
    expect(after.lease_left_ms).toBeGreaterThan(0);
    const state = await (await fetch(`http://127.0.0.1:${lab.adminPort}/readyz`)).json();
    const { revision } = state as { revision: string };
    expect(after.revision).toBe(Number.parseInt(revision.slice("sha256:".length, "sha256:".length + 8), 16));
  });

  it("over HTTP/2 too, with the id in body and header alike", async () => {
    const headers = { ":method": "GET", ":scheme": "http", ":path": "/x", ":authority": "nowhere.example.org" };
    const answer = await requestHttp2(caller, lab.port("http", 80), headers);
    expect(answer.status).toBe(403);
    expect(JSON.parse(answer.body)).toMatchObject({
      decision: answer.headers["x-sallyport-decision-id"],
      reason: "unregistered-target",
    });
    expect(answer.headers["x-sallyport-decision-id"]).toMatch(
      /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/,
    );
  });
});

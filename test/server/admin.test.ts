import { request } from "node:http";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { openAdmin } from "../../src/server/admin.ts";
import { createConsolePages } from "../../src/server/console-page.ts";
import { createLeases } from "../../src/server/gateway/leases.ts";
import { createSequences } from "../../src/server/gateway/sequences.ts";
import type { HttpPort } from "../../src/server/http-port.ts";
import { createMetrics, RELOAD_RESULTS } from "../../src/server/metrics.ts";
import type { LoadedPolicies } from "../../src/server/policy-state.ts";
import { connectClient, decision, httpCheck, startAnswering } from "./harness.ts";

const LOOPBACK = { kind: "tcp", host: "127.0.0.1", port: 0 } as const;
let admin: HttpPort;
let ready = true;
let loaded: LoadedPolicies | null = null;
const metrics = createMetrics({
  cache: { cacheBytes: 123, cacheEntries: 4 },
  audit: {
    state: { taken: 7 + 2, written: 7, failed: 2, tooSlow: 0, pending: 0, failure: "ENOSPC" },
    sinks: [{ name: "file", state: { taken: 9, written: 7, failed: 2, tooSlow: 1, pending: 0, failure: "ENOSPC" } }],
  },
  loaded: () => loaded,
  staleNamespaces: () => 1,
  policyErrors: () => new Map([["yaml-syntax", 2]]),
  certificateEndMs: () => 1_800_000_000_000,
  now: () => 61_000,
});

beforeEach(async () => {
  admin = await openAdmin(LOOPBACK, {
    registry: metrics.registry,
    readiness: () => ({ ready, why: "because" }),
    seats: () => ({ server: { name: "here/1" }, gateways: [] }),
    console: createConsolePages("/nowhere"),
    recent: () => ['{"id":"b"}', '{"id":"a"}'],
    policies: {
      loaded: () => loaded,
      ready: () => ready,
      lessor: {
        mode: "batch",
        sequences: createSequences(Date.now, () => {}),
        leases: createLeases(Date.now),
        recordedHeaders: [],
        sign: null,
      },
    },
  });
});
afterEach(async () => {
  await admin.close();
  ready = true;
  loaded = null;
});

interface Got {
  readonly status: number | undefined;
  readonly headers: Record<string, string | string[] | undefined>;
  readonly body: Buffer;
}

function get(path: string, headers: Record<string, string> = {}, method = "GET"): Promise<Got> {
  const [host, port] = admin.address.split(":");
  return new Promise((resolve, reject) => {
    const asked = request({ host, port, path, method, headers }, (response) => {
      const chunks: Buffer[] = [];
      response.on("data", (chunk: Buffer) => chunks.push(chunk));
      response.on("end", () =>
        resolve({ status: response.statusCode, headers: response.headers, body: Buffer.concat(chunks) }),
      );
    });
    asked.on("error", reject).end();
  });
}

describe("the admin port", () => {
  test("is for this machine only", async () => {
    for (const host of ["0.0.0.0", "10.0.0.1", "::"]) {
      await expect(openAdmin({ kind: "tcp", host, port: 0 }, {} as never)).rejects.toThrow(/loopback only/);
    }
  });

  test("says alive, and ready or not with the reason", async () => {
    expect((await get("/livez")).status).toBe(200);
    expect((await get("/readyz")).status).toBe(200);
    ready = false;
    const answer = await get("/readyz");
    expect(answer.status).toBe(503);
    expect(JSON.parse(answer.body.toString())).toEqual({ ready: false, why: "because" });
  });

  test("shows recent decisions, newest first", async () => {
    const { body } = await get("/v1/decisions");
    expect(JSON.parse(body.toString())).toEqual({ decisions: [{ id: "b" }, { id: "a" }] });
  });

  test("gives the bundle with its revision as ETag, and nothing to those who have it", async () => {
    expect((await get("/v1/bundle")).status).toBe(503);
    loaded = { revision: "sha256:aa", bundle: Uint8Array.of(1, 2, 3), sinceMs: 0, generation: 1 };
    const full = await get("/v1/bundle");
    expect([full.status, full.headers.etag, [...full.body]]).toEqual([200, '"sha256:aa"', [1, 2, 3]]);
    for (const known of ['"sha256:aa"', 'W/"sha256:aa"', '"x", "sha256:aa"']) {
      const same = await get("/v1/bundle", { "if-none-match": known });
      expect([same.status, same.body.length]).toEqual([304, 0]);
    }
    expect((await get("/v1/bundle", { "if-none-match": '"sha256:bb"' })).status).toBe(200);
  });

  test("shows who decides by what", async () => {
    const { status, body } = await get("/v1/seats");
    expect([status, JSON.parse(body.toString())]).toEqual([200, { server: { name: "here/1" }, gateways: [] }]);
  });

  test("leads to the console, and says so where it is not built", async () => {
    for (const path of ["/", "/console"]) {
      const { status, headers } = await get(path);
      expect([status, headers.location]).toEqual([302, "/console/"]);
    }
    const index = await get("/console/");
    expect([index.status, index.body.toString()]).toEqual([503, expect.stringContaining("npm run build makes it")]);
    expect((await get("/console/index.html")).status).toBe(404);
    expect((await get("/console/", { host: "rebound.example.com" })).status).toBe(403);
  });

  test("answers neither writes nor unknown pages nor web pages that point their own name at loopback", async () => {
    expect((await get("/livez", {}, "POST")).status).toBe(405);
    expect((await get("/nothing")).status).toBe(404);
    expect((await get("/v1/decisions", { host: "rebound.example.com" })).status).toBe(403);
    expect((await get("/v1/decisions", { host: "localhost:9192" })).status).toBe(200);
  });
});

describe("metrics", () => {
  test("carry every figure of the server", async () => {
    metrics.counter("server", "deny", "no-matching-rule", "allow")();
    metrics.observe(0.03, true);
    metrics.observe(2, false);
    metrics.reload("rejected");
    loaded = { revision: "sha256:aa", bundle: new Uint8Array(), sinceMs: 1000, generation: 1000 };
    const { body } = await get("/metrics");
    const text = body.toString();
    for (const line of [
      'sallyport_decisions_total{effect="deny",reason="no-matching-rule",seat="server",shadow="allow"} 1',
      'sallyport_check_duration_seconds_bucket{le="0.000025"} 0',
      'sallyport_check_duration_seconds_bucket{le="0.00005"} 1',
      "sallyport_check_duration_seconds_count 2",
      "sallyport_cache_hits_total 1",
      "sallyport_cache_misses_total 1",
      "sallyport_cache_bytes 123",
      "sallyport_cache_entries 4",
      'sallyport_policy_reloads_total{result="rejected"} 1',
      'sallyport_policy_reloads_total{result="installed"} 0',
      "sallyport_stale_namespaces 1",
      'sallyport_policy_errors{code="yaml-syntax"} 2',
      'sallyport_revision_info{revision="sha256:aa"} 1',
      "sallyport_policy_load_age_seconds 60",
      "sallyport_certificate_end_timestamp_seconds 1800000000",
      "sallyport_audit_written_total 7",
      'sallyport_audit_failed_total{reason="not-written"} 2',
      'sallyport_audit_failed_total{reason="too-slow"} 0',
      "sallyport_audit_failing 1",
      'sallyport_audit_sink_written_total{sink="file"} 7',
      'sallyport_audit_sink_failed_total{sink="file",reason="too-slow"} 1',
    ]) {
      expect(text.split("\n")).toContain(line);
    }
    expect(text).toMatch(/^sallyport_event_loop_lag_p99_seconds [0-9.e-]+$/m);
  });

  test("scraped twice they do not count twice", async () => {
    const count = async () => /^sallyport_cache_hits_total (\d+)$/m.exec((await get("/metrics")).body.toString())?.[1];
    expect(await count()).toBe(await count());
  });

  test("never grow with hosts, identities or anything else that callers choose", async () => {
    const server = await startAnswering({
      revision: "sha256:one",
      headers: [],
      decide: (input) =>
        decision({ subject: { spiffeId: input.principal, namespace: null, serviceAccount: null }, target: null }),
    });
    const client = connectClient(server.address);
    const series = async () =>
      (await server.metrics.registry.metrics()).split("\n").filter((line) => /^sallyport/.test(line));
    await client.check(httpCheck());
    const before = (await series()).length;
    for (let n = 0; n < 200; n += 1) {
      await client.check(
        httpCheck({ host: `host-${n}.example.com`, principal: `spiffe://cluster.local/ns/n${n}/sa/s`, path: `/p${n}` }),
      );
    }
    const after = await series();
    expect(after).toHaveLength(before);
    expect(after.join("\n")).not.toMatch(/host-|spiffe|example|\/p\d/);
    client.close();
    await server.close();
  });

  test("count reloads under known results only", async () => {
    const text = await metrics.registry.getSingleMetricAsString("sallyport_policy_reloads_total");
    const results = [...text.matchAll(/result="([a-z]+)"/g)].map((match) => match[1]);
    expect(results.sort()).toEqual([...RELOAD_RESULTS].sort());
  });
});

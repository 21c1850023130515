import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, describe, expect, test } from "vitest";
import { createLogger } from "../../src/server/logger.ts";
import { type RunningServer, startServer } from "../../src/server/server.ts";
import { type CheckClient, connectClient, httpCheck, told } from "./harness.ts";
import { allow, createPolicyDirectory, mountConfigMap, type PolicyDirectory, ROOT } from "./policy-directory.ts";

const LOOPBACK = { kind: "tcp", host: "127.0.0.1", port: 0 } as const;
const SOON = { timeout: 15_000 };
const opened: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of opened.splice(0).reverse()) await close();
});

interface Started {
  readonly server: RunningServer;
  readonly client: CheckClient;
  /** Effect and reason of a request of a namespace's `app` to a host. */
  ask(namespace: string, host?: string): Promise<string>;
  ready(): Promise<{ readonly status: number; readonly body: Record<string, unknown> }>;
  metric(line: RegExp): Promise<string | undefined>;
  audit(): Record<string, unknown>[];
}

/** A server on a directory. The poll is slow, so that what is seen at once was seen by the watch. */
async function start(policies: string, changes: { pollMs?: number; deadlineMs?: number } = {}): Promise<Started> {
  const own = mkdtempSync(join(tmpdir(), "sallyport-server-"));
  const path = join(own, "audit.jsonl");
  const server = await startServer(
    {
      policies: { kind: "directory", path: policies },
      listen: [LOOPBACK],
      tls: null,
      allowedCallers: [],
      metricsReaders: [],
      admin: LOOPBACK,
      probes: LOOPBACK,
      audit: {
        mode: "batch",
        require: "all",
        headers: { include: [], exclude: [] },
        sinks: [
          {
            kind: "file",
            path,
            maxBytes: 1 << 24,
            maxAgeMs: null,
            maxFiles: 1,
            keepMs: null,
            packing: null,
            key: null,
          },
        ],
      },
      bundle: { key: null },
      exceptions: { leadMs: 7 * 86_400_000 },
      cache: { maxBytes: 1 << 22 },
      reload: { pollMs: changes.pollMs ?? 3_600_000, deadlineMs: changes.deadlineMs ?? 60_000 },
      state: null,
      overload: { maxWaitMs: 60_000, maxInFlight: 1024 },
      traces: null,
      drain: { waitMs: 0, limitMs: 2000 },
    },
    createLogger("silent"),
  );
  const client = connectClient(server.addresses[0] ?? "");
  const page = (name: string) => fetch(`http://${server.adminAddress}${name}`);
  opened.push(() => rmSync(own, { recursive: true }), server.drain, client.close);
  return {
    server,
    client,
    async ask(namespace, host = "api.stripe.com") {
      const principal = `spiffe://cluster.local/ns/${namespace}/sa/app`;
      const { effect, reason } = told(await client.check(httpCheck({ principal, host })));
      return `${effect} ${reason}`;
    },
    async ready() {
      const response = await page("/readyz");
      return { status: response.status, body: (await response.json()) as Record<string, unknown> };
    },
    async metric(line) {
      return line.exec(await (await page("/metrics")).text())?.[1];
    },
    audit: () =>
      readFileSync(path, "utf8")
        .split("\n")
        .slice(0, -1)
        .map((each) => JSON.parse(each)),
  };
}

function directory(files: Record<string, string>): PolicyDirectory {
  const created = createPolicyDirectory(files);
  opened.push(created.remove);
  return created;
}

describe("a running server", () => {
  test("decides by its directory, from the first answer on", async () => {
    const { path } = directory({ "root.yaml": ROOT, "shop/shop.yaml": allow("shop", "app", "stripe") });
    const { ask, ready, server } = await start(path);
    expect(await ask("shop")).toBe("allow allowed-by-rule");
    expect(await ask("shop", "api.github.com")).toBe("deny no-matching-rule");
    expect(await ask("other")).toBe("deny no-matching-rule");
    const { status, body } = await ready();
    expect(status).toBe(200);
    expect(body).toMatchObject({ ready: true, revision: server.revision, problem: null, staleNamespaces: [] });
  });

  test("takes an edit, a new file, a new directory and a deletion over without being asked", async () => {
    const policies = directory({ "root.yaml": ROOT });
    const { ask } = await start(policies.path);
    expect(await ask("shop")).toBe("deny no-matching-rule");
    policies.put("shop/deep/er/shop.yaml", allow("shop", "app", "stripe"));
    await expect.poll(() => ask("shop"), SOON).toBe("allow allowed-by-rule");
    policies.put("shop/deep/er/shop.yaml", allow("shop", "app", "github"));
    await expect.poll(() => ask("shop"), SOON).toBe("deny no-matching-rule");
    policies.put("shop/two.yaml", allow("shop", "app", "stripe").replace("name: stripe", "name: two"));
    await expect.poll(() => ask("shop"), SOON).toBe("allow allowed-by-rule");
    policies.drop("shop/two.yaml");
    await expect.poll(() => ask("shop"), SOON).toBe("deny no-matching-rule");
  });

  test("follows swap after swap of a ConfigMap's ..data", async () => {
    const policies = directory({});
    const version = (n: number, service: string) =>
      mountConfigMap(policies.path, `v${n}`, { "root.yaml": ROOT, "shop.yaml": allow("shop", "app", service) });
    version(1, "stripe");
    const { ask } = await start(policies.path);
    expect(await ask("shop")).toBe("allow allowed-by-rule");
    for (let n = 2; n <= 7; n += 1) {
      version(n, n % 2 === 0 ? "github" : "stripe");
      await expect.poll(() => ask("shop"), SOON).toBe(n % 2 === 0 ? "deny no-matching-rule" : "allow allowed-by-rule");
    }
  });

  test("follows a ConfigMap mounted for one namespace", async () => {
    const policies = directory({ "root.yaml": ROOT, "shop/readme.md": "" });
    mountConfigMap(join(policies.path, "shop"), "v1", { "shop.yaml": allow("shop", "app", "stripe") });
    const { ask } = await start(policies.path);
    expect(await ask("shop")).toBe("allow allowed-by-rule");
    mountConfigMap(join(policies.path, "shop"), "v2", { "shop.yaml": allow("shop", "app", "github") });
    await expect.poll(() => ask("shop"), SOON).toBe("deny no-matching-rule");
  });

  test("sees by the poll what no watch tells: a directory that is a swapped symbolic link", async () => {
    const { symlinkSync, renameSync } = await import("node:fs");
    const one = directory({ "root.yaml": ROOT, "shop.yaml": allow("shop", "app", "stripe") });
    const two = directory({ "root.yaml": ROOT });
    const place = directory({});
    symlinkSync(one.path, join(place.path, "now"));
    const { ask } = await start(join(place.path, "now"), { pollMs: 50 });
    expect(await ask("shop")).toBe("allow allowed-by-rule");
    symlinkSync(two.path, join(place.path, "next"));
    renameSync(join(place.path, "next"), join(place.path, "now"));
    await expect.poll(() => ask("shop"), SOON).toBe("deny no-matching-rule");
  });
});

describe("mistakes", () => {
  test("of one namespace keep its last good documents and delay no other's revocation", async () => {
    const policies = directory({
      "root.yaml": ROOT,
      "shop/shop.yaml": allow("shop", "app", "stripe"),
      "bank/bank.yaml": allow("bank", "app", "stripe"),
    });
    const { ask, ready, metric, audit, server } = await start(policies.path);
    expect([await ask("shop"), await ask("bank")]).toEqual(["allow allowed-by-rule", "allow allowed-by-rule"]);
    policies.put("shop/shop.yaml", "kind: Nonsense\n");
    policies.put("bank/bank.yaml", allow("bank", "other", "stripe"));
    await expect.poll(() => ask("bank"), SOON).toBe("deny no-matching-rule");
    expect(await ask("shop")).toBe("allow allowed-by-rule");
    await server.reload();
    expect((await ready()).body).toMatchObject({ ready: true, staleNamespaces: ["shop"] });
    expect(await metric(/^sallyport_stale_namespaces (\d+)$/m)).toBe("1");
    // Lines are written in batches.
    const lastLoad = () => audit().findLast(({ event }) => event === "policies-loaded");
    await expect.poll(lastLoad, SOON).toMatchObject({ stale: [{ namespace: "shop", keptLastGood: true }] });
    policies.put("shop/shop.yaml", allow("shop", "app", "github"));
    await expect.poll(() => ask("shop"), SOON).toBe("deny no-matching-rule");
    expect((await ready()).body).toMatchObject({ staleNamespaces: [] });
  });

  test("of a namespace without good documents deny its workloads and nobody else's", async () => {
    const { path } = directory({
      "root.yaml": ROOT,
      "shop/shop.yaml": "x: [",
      "bank/bank.yaml": allow("bank", "app", "stripe"),
    });
    const { ask } = await start(path);
    expect([await ask("shop"), await ask("bank")]).toEqual(["deny namespace-invalid", "allow allowed-by-rule"]);
  });

  test("of the root keep the last good set in force, and are told by metric, audit event and readiness", async () => {
    const policies = directory({ "root.yaml": ROOT, "shop/shop.yaml": allow("shop", "app", "stripe") });
    const { ask, ready, metric, audit, server } = await start(policies.path);
    const { revision } = server;
    policies.put("root.yaml", ROOT.replace("api.stripe.com", "API.stripe.com"));
    await expect.poll(() => metric(/^sallyport_policy_reloads_total\{result="rejected"\} (\d+)$/m), SOON).toBe("1");
    expect(await ask("shop")).toBe("allow allowed-by-rule");
    const { status, body } = await ready();
    expect([status, body.revision]).toEqual([200, revision]);
    expect(String(body.problem)).toContain("root.yaml");
    const rejected = () => audit().filter(({ event }) => event === "policies-rejected");
    await expect.poll(rejected, SOON).toHaveLength(1);
    expect(rejected()[0]).toMatchObject({ result: "rejected", revision, diagnostics: [{ file: "root.yaml" }] });
    policies.put("root.yaml", ROOT);
    await expect.poll(async () => (await ready()).body.problem, SOON).toBe(null);
  });

  test("of the root at start leave nothing in force: an error of the authorizer, until they are repaired", async () => {
    const policies = directory({ "root.yaml": "kind: Nonsense\n" });
    const { ask, ready, server } = await start(policies.path);
    expect(server.firstLoad).toBe("rejected");
    expect(await ask("shop")).toBe("deny no-policy");
    expect((await ready()).status).toBe(503);
    policies.put("root.yaml", ROOT);
    await expect.poll(() => ask("shop"), SOON).toBe("deny no-matching-rule");
    expect((await ready()).status).toBe(200);
  });

  test("that empty the directory keep the last good set", async () => {
    const policies = directory({ "root.yaml": ROOT, "shop.yaml": allow("shop", "app", "stripe") });
    const { ask, ready } = await start(policies.path);
    policies.drop("shop.yaml");
    policies.drop("root.yaml");
    await expect.poll(async () => String((await ready()).body.problem), SOON).toContain("no policies");
    expect(await ask("shop")).toBe("allow allowed-by-rule");
  });

  test("or what else takes too long to compile is given up", async () => {
    const policies = directory({ "root.yaml": ROOT, "shop/shop.yaml": allow("shop", "app", "stripe") });
    const { server } = await start(policies.path, { deadlineMs: 1 });
    expect(server.firstLoad).toBe("timeout");
    expect(server.revision).toBeNull();
  });
});

test("a change that changes nothing keeps revision and cache", async () => {
  const policies = directory({ "root.yaml": ROOT, "shop.yaml": allow("shop", "app", "stripe") });
  const { ask, server, metric, audit } = await start(policies.path);
  await ask("shop");
  const { revision } = server;
  policies.put("shop.yaml", `# a comment\n${allow("shop", "app", "stripe")}`);
  await server.reload();
  await ask("shop");
  expect(server.revision).toBe(revision);
  expect(await metric(/^sallyport_cache_hits_total (\d+)$/m)).toBe("1");
  await server.drain();
  expect(
    audit()
      .filter(({ id }) => id !== undefined)
      .map(({ cacheHit }) => cacheHit),
  ).toEqual([false, true]);
});

test("the port for probes says yes or no, and nothing else", async () => {
  const policies = directory({ "root.yaml": `${ROOT}\nnonsense: true\n` });
  const { server } = await start(policies.path);
  const ask = async (path: string, method = "GET") => {
    const answer = await fetch(`http://${server.probesAddress}${path}`, { method });
    return [answer.status, await answer.text()];
  };
  expect(await ask("/livez")).toEqual([200, "ok\n"]);
  expect(await ask("/readyz")).toEqual([503, "not ready\n"]);
  policies.put("root.yaml", ROOT);
  await expect.poll(() => ask("/readyz"), SOON).toEqual([200, "ok\n"]);
  for (const path of ["/metrics", "/v1/bundle", "/v1/decisions", "/readyz/../metrics?x", "/"])
    expect((await ask(path))[0], path).toBe(404);
  expect((await ask("/livez", "POST"))[0]).toBe(405);
});

test("health follows readiness", async () => {
  const { Client, credentials } = await import("@grpc/grpc-js");
  const { CONTRACT } = await import("./harness.ts");
  const policies = directory({ "root.yaml": "kind: Nonsense\n" });
  const { server } = await start(policies.path);
  const client = new Client(server.addresses[0] ?? "", credentials.createInsecure());
  opened.push(() => client.close());
  const { Check, Watch } = CONTRACT.health;
  const health = (service: string) =>
    new Promise((resolve) => {
      if (Check === undefined) return;
      client.makeUnaryRequest(
        Check.path,
        Check.requestSerialize,
        Check.responseDeserialize,
        { service },
        (error, value) => resolve(error?.code ?? (value as { status: number }).status),
      );
    });
  expect(await health("")).toBe(2);
  if (Watch === undefined) throw new Error("no Watch");
  const seen: number[] = [];
  const watch = client.makeServerStreamRequest(Watch.path, Watch.requestSerialize, Watch.responseDeserialize, {
    service: "",
  });
  watch.on("data", (value: { status: number }) => seen.push(value.status)).on("error", () => {});
  policies.put("root.yaml", ROOT);
  await expect.poll(() => health("envoy.service.auth.v3.Authorization"), SOON).toBe(1);
  expect(await health("no.such.Service")).toBe(5);
  await server.drain();
  expect(seen).toEqual([2, 1, 2]);
});

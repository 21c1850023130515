import { createHash } from "node:crypto";
import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { afterEach, describe, expect, it } from "vitest";
import { type Caller, requestHttp1 } from "../../src/cli/demo/client.ts";
import { type Lab, startLab } from "../../src/cli/demo/lab.ts";
import { codeOf, type FilterCode, filterCluster } from "../../src/generate/envoy-parts/filter-code.ts";
import { readFilterCode } from "../../src/pdp/engine-module.ts";
import { E2E_POLICIES, everyWorker } from "../support/gateway.ts";

const closing: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});

const DIGEST = createHash("sha256").update(readFilterCode()).digest("hex");

/** A server that gives these bytes, after so long. */
async function serveCode(bytes: Uint8Array, delayMs = 0, given: () => void = () => {}): Promise<string> {
  const server = createServer(async (_, response) => {
    await sleep(delayMs);
    given();
    response.end(bytes);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  closing.push(
    () => server.closeAllConnections(),
    () => server.close(),
  );
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/sallyport-filter.wasm`;
}

/** A gateway whose filter comes from there. */
async function startWith(source: FilterCode): Promise<{ lab: Lab; ask(): Promise<number | null> }> {
  const lab = await startLab({
    policies: E2E_POLICIES,
    timeoutMs: 2_000,
    seat: "gateway",
    edit(bootstrap) {
      const path = new URL("../../build/sallyport-filter.wasm", import.meta.url).pathname;
      const own = JSON.stringify(codeOf({ kind: "file", path }));
      // Envoy gives up after the second try rather than the eleventh.
      const code = JSON.stringify(codeOf(source)).replace('"num_retries":10', '"num_retries":1');
      const copy = JSON.parse(JSON.stringify(bootstrap).replaceAll(own, code));
      const cluster = filterCluster(source, "none");
      if (cluster !== null) copy.static_resources.clusters.push({ ...cluster, type: "STATIC" });
      return copy;
    },
  });
  closing.push(() => lab.close());
  const caller: Caller = await lab.workload("shop/reader");
  const get = () => requestHttp1(caller, lab.port("http", 80), "GET /rooms/1", ["host: chat.example.com"]);
  return { lab, ask: async () => (await get().catch(() => ({ status: null }))).status };
}

describe("the filter's code", () => {
  it("carried by the configuration: decides", async () => {
    const { ask } = await startWith({ kind: "inline", base64: Buffer.from(readFilterCode()).toString("base64") });
    expect(await everyWorker(ask, 200, 15_000)).toBe(true);
  }, 60_000);

  it("fetched, and what its digest says: decides, and nobody gets in before it is there", async () => {
    let givenMs = Number.POSITIVE_INFINITY;
    const url = await serveCode(readFilterCode(), 2_000, () => {
      givenMs = Date.now();
    });
    const { ask } = await startWith({ kind: "url", url, sha256: DIGEST });
    // The lab was ready once Envoy accepted connections.
    expect(Date.now()).toBeGreaterThanOrEqual(givenMs);
    expect(await everyWorker(ask, 200, 15_000)).toBe(true);
  }, 60_000);

  it("fetched, and something else: nothing passes, however often it is tried", async () => {
    const other = Buffer.from(readFilterCode());
    other[other.length >> 1] = (other[other.length >> 1] ?? 0) ^ 1;
    const { lab, ask } = await startWith({ kind: "url", url: await serveCode(other), sha256: DIGEST });
    for (let n = 0; n < 40; n += 1) {
      expect((await ask()) ?? 503).toBeGreaterThanOrEqual(400);
      await sleep(100);
    }
    expect(lab.upstream.seen).toEqual([]);
  }, 60_000);
});

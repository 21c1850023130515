import { expect, it, onTestFinished } from "vitest";
import type { CheckInput, Decision } from "../../src/pdp/decision.ts";
import { createPdp, type DecisionEngine } from "../../src/pdp/pdp.ts";
import { startCheckServer } from "../conformance/ways/check-server.ts";

const NOW = Date.parse("2026-11-23T12:00:00Z");

const INPUT: CheckInput = {
  kind: "http",
  principal: "spiffe://cluster.local/ns/shop/sa/cart",
  host: "api.vendor.example.com",
  port: null,
  method: "GET",
  path: "/",
  headers: [],
};

const ALLOWED: Decision = {
  effect: "allow",
  reason: "allowed-by-rule",
  rules: ["small/read"],
  shadow: "allow",
  shadowRules: ["small/read"],
  validUntil: NOW + 60_000,
  dependsOn: { method: true, path: false, contentType: false, headers: [] },
  cacheable: true,
  subject: { spiffeId: INPUT.principal, namespace: "shop", serviceAccount: "cart" },
  target: { host: "api.vendor.example.com", port: 80 },
  service: "vendor",
  note: null,
};

/** Answers once, then throws for ever. */
function brokenAfterOne(): DecisionEngine & { calls: number } {
  return {
    revision: "sha256:test",
    headers: [],
    calls: 0,
    decide() {
      this.calls += 1;
      if (this.calls > 1) throw new Error("the engine is gone");
      return ALLOWED;
    },
  };
}

const WARM = { effect: "allow", reason: "allowed-by-rule", rules: ["small/read"], shadow: "allow" };
const REFUSED = { effect: "deny", reason: "internal-error", rules: [], shadow: "deny" };

it("an engine that throws after its first answer still gives cache hits, and nothing else", async () => {
  const engine = brokenAfterOne();
  const server = await startCheckServer(engine);
  onTestFinished(() => server.close());
  expect(await server.check(INPUT, NOW)).toEqual(WARM);
  // The same question, and one that differs only where the decision did not look.
  expect(await server.check(INPUT, NOW + 1)).toEqual(WARM);
  expect(await server.check({ ...INPUT, path: "/else", headers: [["x-team", "a"]] }, NOW + 2)).toEqual(WARM);
  expect(engine.calls).toBe(1);
  // Everything that the cache cannot know is refused.
  for (const other of [
    { ...INPUT, method: "POST" },
    { ...INPUT, principal: "spiffe://cluster.local/ns/shop/sa/till" },
    { ...INPUT, principal: "" },
    { ...INPUT, host: "files.vendor.example.com" },
    { ...INPUT, host: "api.vendor.example.com:8080" },
    { ...INPUT, port: "8080" },
    {
      ...INPUT,
      headers: [
        ["connection", "upgrade"],
        ["upgrade", "websocket"],
      ] as const,
    },
    { ...INPUT, kind: "tls" as const, port: "443" },
  ]) {
    expect(await server.check(other, NOW + 3)).toEqual(REFUSED);
  }
  expect(await server.check(INPUT, NOW + 59_999)).toEqual(WARM);
  expect(await server.check(INPUT, NOW + 60_000)).toEqual(REFUSED);
});

it("the decision point itself throws rather than guess", () => {
  const pdp = createPdp<Decision>({ render: (decision) => decision, sizeOf: () => 100, maxCacheBytes: 1 << 20 });
  expect(pdp.decide(INPUT, NOW)).toBeNull();
  pdp.install(brokenAfterOne());
  expect(pdp.decide(INPUT, NOW)).toMatchObject({ hit: false, value: { effect: "allow" } });
  expect(pdp.decide(INPUT, NOW)).toMatchObject({ hit: true, value: { effect: "allow" } });
  expect(() => pdp.decide({ ...INPUT, method: "POST" }, NOW)).toThrow("the engine is gone");
});

import { expect, it } from "vitest";
import type { TrafficRecord } from "../../src/analyze/lint/traffic/collect.ts";
import { asFiles, collect, DAY_MS, lintFiles, NOW_MS, requireFiles } from "./load.ts";

const TEXT = `apiVersion: sallyport.dev/v1alpha1
kind: EgressGateway
metadata: {name: egress, namespace: istio-egress}
spec: {trustDomains: [cluster.local, mesh.example]}
---
apiVersion: sallyport.dev/v1alpha1
kind: ExternalService
metadata: {name: all}
spec:
  hosts: ["*.example.com", "*.eu.example.com"]
  ports: [{number: 80, protocol: HTTP}, {number: 9000, protocol: GRPC}]
---
apiVersion: sallyport.dev/v1alpha1
kind: ExternalService
metadata: {name: shop-only, namespace: shop}
spec:
  hosts: [api.example.com]
  ports: [{number: 8080, protocol: HTTP}]
---
apiVersion: sallyport.dev/v1alpha1
kind: IdentityGroup
metadata: {name: carts}
spec:
  members: [{serviceAccount: shop/cart}]
  fallback: deny
---
apiVersion: sallyport.dev/v1alpha1
kind: IdentityGroup
metadata: {name: tills}
spec:
  members: [{namespace: till}]
  fallback: deny
---
apiVersion: sallyport.dev/v1alpha1
kind: EgressPolicy
metadata: {name: shop}
spec:
  owner: shop@example.com
  rules:
  - {name: eu, from: [{namespace: shop}], to: [{hosts: ["*.eu.example.com"], ports: [80]}], ticket: T}
  - {name: young, from: [{namespace: shop}], to: [{service: all, ports: [9000]}], ticket: T, notBefore: 2026-11-20T00:00:00Z}
  - {name: old, from: [{namespace: shop}], to: [{service: all, ports: [9000], methods: [POST]}], ticket: T, notBefore: 2026-01-01T00:00:00Z}
  - {name: no, effect: deny, from: [{namespace: shop}], to: [{service: all, paths: [/admin], ports: [80]}], reason: not here}
`;

const FILES = asFiles({
  "shop/shop.yaml": TEXT.slice(
    TEXT.indexOf(
      "apiVersion",
      TEXT.indexOf("fallback: deny\n---\napiVersion: sallyport.dev/v1alpha1\nkind: EgressPolicy"),
    ),
  ),
  "top.yaml": TEXT.slice(0, TEXT.lastIndexOf("---")),
});

function record(host: string, more: Partial<TrafficRecord> = {}): TrafficRecord {
  const principal = "spiffe://mesh.example/ns/shop/sa/cart";
  return {
    ...{ principal, namespace: "shop", kind: "http", host, port: 80 },
    ...{ rules: [], shadowRules: [] },
    ...more,
  };
}

function found(records: readonly TrafficRecord[]): string[] {
  const traffic = collect(requireFiles(FILES), records);
  const observed = { traffic, days: 30, sinceMs: NOW_MS - 30 * DAY_MS };
  return lintFiles(FILES, { observed })
    .findings.filter(({ code }) => /^(unused|wide)-/.test(code))
    .map(({ code, subject }) => `${code} ${subject}`);
}

it("without any traffic nothing was used but what is too young to tell, and denies may wait", () => {
  expect(found([])).toEqual([
    "unused-rule shop/shop/eu",
    "unused-rule shop/shop/old",
    "unused-service all",
    "unused-service shop/shop-only",
    "unused-group carts",
    "unused-group tills",
  ]);
});

it("the engine says whose a host is and which groups hold a workload, aliases included", () => {
  const left = found([
    record("api.example.com", { port: 8080, rules: ["shop/shop/old"] }),
    record("a.example.com", { port: 9000 }),
  ]);
  expect(left).toEqual(["unused-rule shop/shop/eu", "wide-wildcard all", "unused-group tills"]);
});

it("a rule in report mode is used when it would decide", () => {
  expect(found([record("a.eu.example.com", { shadowRules: ["shop/shop/eu"] })])).not.toContain(
    "unused-rule shop/shop/eu",
  );
});

it("a wildcard is too wide until a fourth host goes through it", () => {
  const hosts = ["a", "b", "c", "d"].map((name) => `${name}.eu.example.com`);
  const through = (count: number) =>
    found(hosts.slice(0, count).map((host) => record(host, { rules: ["shop/shop/eu"] }))).filter((each) =>
      each.startsWith("wide"),
    );
  expect(through(3)).toEqual(["wide-wildcard shop/shop/eu", "wide-wildcard all"]);
  expect(through(4)).toEqual([]);
});

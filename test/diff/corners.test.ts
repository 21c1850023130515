import { describe, expect, it } from "vitest";
import { diff } from "../../src/analyze/diff/diff.ts";
import { compileBundle } from "../../src/bundle/compile.ts";
import { createCanonicaliser } from "../../src/pdp/canonicaliser.ts";
import type { HeaderPair } from "../../src/pdp/decision.ts";
import { createEngine } from "../../src/pdp/engine.ts";
import { readEngineModule } from "../../src/pdp/engine-module.ts";
import { loadPolicySet } from "../../src/policy/load.ts";

const module = readEngineModule();
const AT_MS = Date.parse("2026-11-23T12:00:00Z");
const HEAD = `apiVersion: sallyport.dev/v1alpha1
kind: EgressGateway
metadata: {name: egress, namespace: istio-egress}
spec: {fallback: FALLBACK}
---
apiVersion: sallyport.dev/v1alpha1
kind: ExternalService
metadata: {name: vendor}
spec: {hosts: [api.example.com], ports: [{number: 80, protocol: HTTP}]}
`;

/** A set of root rules, each `effect: …, …` in flow style, for workload shop/app to service vendor. */
function revision(rules: readonly string[], fallback = "deny", protocol = "HTTP") {
  const written = rules.map((rule, at) => `  - {name: r${at}, from: [{serviceAccount: shop/app}], ${rule}}`);
  const policy = `---
apiVersion: sallyport.dev/v1alpha1
kind: EgressPolicy
metadata: {name: p, namespace: istio-egress}
spec:
  owner: o@example.com
  rules:
${written.join("\n")}
`;
  const text = HEAD.replace("FALLBACK", fallback).replace("HTTP", protocol) + (rules.length === 0 ? "" : policy);
  const { set, diagnostics } = loadPolicySet(
    [{ path: "a.yaml", bytes: new TextEncoder().encode(text) }],
    createCanonicaliser(module),
  );
  if (set === null) throw new Error(diagnostics.map(({ message }) => message).join("\n"));
  return { set, engine: createEngine(module, compileBundle(set)) };
}

function to(conditions: string): string {
  return `to: [{service: vendor, ${conditions}}]`;
}

/** Every way to send two headers by which one upgrades, out of values that conditions can tell apart. */
function* upgrades(): Generator<readonly HeaderPair[]> {
  const connections = [[], ["upgrade"], ["Upgrade"], ["keep-alive"], ["keep-alive, upgrade"], ["a", "upgrade"]];
  const protocols = [[], ["websocket"], ["WebSocket"], ["h2c"], ["a,b"], ["websocket", "websocket"]];
  for (const connection of connections) {
    for (const upgrade of protocols) {
      yield [
        ...connection.map((value): HeaderPair => ["connection", value]),
        ...upgrade.map((value): HeaderPair => ["upgrade", value]),
      ];
    }
  }
}

describe("diff, in its corners", () => {
  it("finds what conditions on the headers of an upgrade change, whenever anything does", () => {
    const conditions = [
      "effect: allow, upgrades: [websocket], TO",
      "effect: allow, upgrades: [websocket, h2c], TO",
      "effect: allow, TO",
    ].flatMap((rule) =>
      [
        "ports: [80]",
        "headers: {upgrade: [websocket]}",
        "headers: {upgrade: [WebSocket], connection: [Upgrade]}",
        "headers: {connection: [keep-alive]}",
      ].map((each) => rule.replace("TO", to(each))),
    );
    let changed = 0;
    for (const one of conditions) {
      for (const other of conditions) {
        const [old, now] = [revision([one]), revision([other])];
        const { classes, unproved } = diff(old, now, AT_MS);
        expect(unproved).toEqual([]);
        const found = new Set(classes.map(({ box }) => box.change));
        const brute = new Set<string>();
        for (const headers of upgrades()) {
          const input = {
            kind: "http",
            principal: "spiffe://cluster.local/ns/shop/sa/app",
            host: "api.example.com",
            port: "80",
            method: "GET",
            path: "/",
            headers,
          } as const;
          const [was, is] = [old, now].map(({ engine }) => engine.decide(input, AT_MS).effect);
          if (was !== is) brute.add(is === "allow" ? "widening" : "narrowing");
        }
        for (const each of brute) expect(found, `${one} -> ${other}`).toContain(each);
        if (brute.size > 0) changed += 1;
        if (one === other) expect(found.size).toBe(0);
      }
    }
    expect(changed).toBeGreaterThan(50);
  });

  it("tells that a change cannot be ruled out where an expression decides, and rules it out where both have it", () => {
    const asks = (hour: number) => `when: 'now.getHours() < ${hour}', ${to("ports: [80]")}`;
    const changes = (old: readonly string[], now: readonly string[]) =>
      diff(revision(old), revision(now), AT_MS)
        .classes.map(({ box }) => [box.change, box.parts.map(({ of }) => of).join(), box.witness.confirmed])
        .sort();
    expect(changes([asks(8)], [asks(8)])).toEqual([]);
    expect(changes([asks(8)], [asks(18)])).toEqual([
      ["narrowing", "upgrades,expressions", false],
      ["widening", "upgrades,expressions", true],
    ]);
    expect(changes([], [asks(8)])).toEqual([["widening", "upgrades,expressions", false]]);
    // An allow of the same for everything else changes only what the expression leaves.
    expect(changes([asks(8)], [asks(8), to("ports: [80]")])).toEqual([["widening", "upgrades,expressions", true]]);
    const deny = `effect: deny, reason: r, when: '"x" in headers', ${to("ports: [80]")}`;
    expect(changes([to("ports: [80]")], [to("ports: [80]"), deny])).toEqual([
      ["narrowing", "upgrades,expressions", false],
    ]);
  });

  it("keeps apart who is told apart by a gRPC content type and who is not, whatever both read like", () => {
    const rule = to("headers: {content-type: [application/grpc]}");
    const { classes } = diff(revision([rule], "deny", "GRPC"), revision([rule], "report", "GRPC"), AT_MS);
    const words = classes.map(({ box, identities }) => [
      identities.some(({ path }) => path === "/ns/shop/sa/app"),
      box.parts.flatMap((part) => part.words.headers?.["content-type"]?.of ?? []),
    ]);
    expect(words.sort()).toEqual([
      [false, ["(doubt grpc)", "(other grpc)"]],
      [true, ["(doubt grpc)", "(other grpc than application/grpc)"]],
    ]);
  });

  it("tells methods apart only where a condition does, or an expression that reads them", () => {
    const lists = (when: string) =>
      diff(revision([to("methods: [GET, POST, PUT]")]), revision([`${when}${to("methods: [GET, POST]")}`]), AT_MS);
    const told = ({ classes }: ReturnType<typeof lists>) =>
      classes.map(({ box }) => [box.change, box.parts.find(({ of }) => of === "methods")?.in, box.witness.confirmed]);
    expect(told(lists(""))).toEqual([["narrowing", ["PUT"], true]]);
    expect(lists("").proof.witnesses).toBe(1);
    const posts = told(lists(`when: 'target.method == "GET"', `));
    expect(posts.sort()).toEqual([
      ["narrowing", ["GET", "POST"], true],
      ["narrowing", ["PUT"], true],
    ]);
  });

  it("gives up aloud where rules can be combined in too many ways", () => {
    const places = Array.from({ length: 20 }, (_, at) => at);
    const paths = places.map((at) => `"/${places.map((each) => (each === at ? "x" : "{*}")).join("/")}"`);
    const { unproved } = diff(revision([]), revision([to(`paths: [${paths.join(", ")}]`)]), AT_MS);
    expect(unproved).toMatchObject([{ host: "api.example.com", port: 80 }]);
  });
});

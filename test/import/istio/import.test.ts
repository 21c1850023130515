import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { importIstio } from "../../../src/import/istio/import.ts";
import { reportOf } from "../../../src/import/report.ts";
import { REPOSITORY, runCli } from "../../cli/run-cli.ts";
import { deciderOf, OPTIONS, sourceFile } from "../support/decide.ts";
import { runExample } from "../support/run-example.ts";

const ENTRY = `apiVersion: networking.istio.io/v1
kind: ServiceEntry
metadata: {name: api, namespace: istio-egress}
spec:
  hosts: [api.example.com]
  ports: [{number: 80, name: http, protocol: HTTP}, {number: 443, name: tls, protocol: TLS}]
---
`;

/** An AuthorizationPolicy of the gateway with this spec, in YAML's flow style. */
function policy(spec: string, metadata = "{name: one, namespace: istio-egress}"): string {
  return `apiVersion: security.istio.io/v1\nkind: AuthorizationPolicy\nmetadata: ${metadata}\nspec: ${spec}\n---\n`;
}

function importing(text: string, labels: Readonly<Record<string, string>> | null = null) {
  return importIstio([sourceFile("mesh.yaml", text)], labels, OPTIONS);
}

function problemsOf(text: string): string {
  const imported = importing(text);
  return imported.ok ? "" : imported.problems.map(({ at, message, fix }) => `${at.line}: ${message} ${fix}`).join("\n");
}

const WEB = "[{from: [{source: {principals: [cluster.local/ns/shop/sa/web]}}]}]";

describe("import istio", () => {
  const EXAMPLE = join(REPOSITORY, "test/import/istio/example");

  it("makes of the example what its golden files say", async () => {
    const out = await runExample("istio", [
      ...[EXAMPLE, "--owner", "mesh@example.com"],
      ...["--assume-open", "EnvoyFilter/istio-egress/access-log"],
    ]);
    const check = (from: string, to: string) => runCli(["check", from, to, "--policies", out]);
    expect((await check("payments/refunds", "POST http://api.stripe.com/v1/refunds/r1")).code).toBe(0);
    expect((await check("payments/checkout", "POST http://api.stripe.com/v1/refunds/r1")).code).toBe(2);
    expect((await check("ci/build", "TLS api.github.com")).code).toBe(0);
    // A plugin of the namespace may refuse it.
    expect((await check("data/loader", "TCP warehouse.example.com:5432")).code).toBe(2);
  });

  it("teaches its use", async () => {
    const { code, stdout } = await runCli(["import", "istio", "--help"]);
    expect(code).toBe(0);
    for (const each of ["--selector", "--gateway", "--owner", "--assume-open", "Examples:", "Exit codes:"])
      expect(stdout).toContain(each);
    expect((await runCli(["import", "istio", "mesh", "--selector", "istio"])).code).toBe(64);
    expect((await runCli(["import", "istio", "mesh", "--assume-open", "EnvoyFilter"])).code).toBe(64);
  });

  it.each([
    ["nothing to import", "a: b\n", "there is no ServiceEntry and no AuthorizationPolicy"],
    [
      "an unknown key of a policy",
      policy("{rules: [{form: []}]}"),
      "4: `form` is not a key here: did you mean `from`?",
    ],
    ["an unknown action", policy("{action: PERMIT}"), "must be one of"],
    ["an unknown source", policy("{rules: [{from: [{source: {principal: [a]}}]}]}"), "did you mean `principals`?"],
    ["values that are no text", policy("{rules: [{to: [{operation: {ports: [80]}}]}]}"), "must be"],
    ["a port that is none", ENTRY.replace("443", "443443"), "must be at most 65535"],
    [
      "a gateway that is elsewhere",
      ENTRY +
        policy(
          "{selector: {matchLabels: {istio: egressgateway}}, action: DENY, rules: [{}]}",
          "{name: a, namespace: edge}",
        ),
      "--gateway edge/egress",
    ],
    [
      "gateways of different pods",
      ["a", "b"]
        .map(
          (app) =>
            `apiVersion: networking.istio.io/v1\nkind: Gateway\nmetadata: {name: ${app}}\nspec: {selector: {app: ${app}}}\n`,
        )
        .join("---\n"),
      "--selector istio=egressgateway",
    ],
  ])("refuses %s, with the place", (_, text, message) => {
    expect(problemsOf(text)).toContain(message);
  });

  it.each([
    [
      "one for other pods",
      policy(`{selector: {matchLabels: {istio: ingressgateway}}, action: DENY, rules: [{}]}`),
      true,
    ],
    ["one of another namespace", policy("{action: DENY, rules: [{}]}", "{name: two, namespace: shop}"), true],
    [
      "a dry run",
      policy(
        "{action: DENY, rules: [{}]}",
        '{name: two, namespace: istio-egress, annotations: {istio.io/dry-run: "true"}}',
      ),
      true,
    ],
    ["one of the whole mesh", policy("{action: DENY, rules: [{}]}", "{name: two, namespace: istio-system}"), false],
    [
      "one for labels that nobody knows of",
      policy(`{selector: {matchLabels: {version: v2}}, action: DENY, rules: [{}]}`),
      false,
    ],
    ["one for an object", policy("{targetRefs: [{kind: Gateway}], action: DENY, rules: [{}]}"), false],
    ["one whose decider is elsewhere", policy("{action: CUSTOM, provider: {name: x}, rules: [{}]}"), false],
  ])("heeds denies that hold at the gateway: %s", (_, text, allowed) => {
    const ours = deciderOf(importing(ENTRY + policy(`{rules: ${WEB}}`, "{name: web, namespace: istio-egress}") + text));
    expect(ours.allows({ from: "shop/web", to: "GET http://api.example.com/" })).toBe(allowed);
  });

  it.each([
    ["none at all: everyone", "", true],
    ["one that allows nothing", policy("{}"), false],
    ["one that allows everything", policy("{rules: [{}]}"), true],
    [
      "one of other pods: as if there were none",
      policy(`{selector: {matchLabels: {istio: other}}, rules: ${WEB}}`),
      true,
    ],
    ["perhaps one of these pods", policy(`{selector: {matchLabels: {version: v2}}, rules: [{}]}`), false],
  ])("allows what Istio does by default: %s", (_, text, allowed) => {
    const ours = deciderOf(importing(ENTRY + text));
    expect(ours.allows({ from: "shop/other", to: "GET http://api.example.com/" })).toBe(allowed);
    expect(ours.allows({ from: "shop/other", to: "TLS api.example.com:443" })).toBe(allowed);
  });

  it("takes the labels that it is told, and the mesh's own trust domain", () => {
    const text = ENTRY + policy(`{selector: {matchLabels: {app: out}}, rules: ${WEB}}`);
    expect(deciderOf(importing(text, { app: "out" })).allows({ from: "shop/web", to: "TLS api.example.com" })).toBe(
      true,
    );
    const foreign = importing(ENTRY + policy(`{rules: ${WEB.replace("cluster.local", "elsewhere.example")}}`));
    expect(deciderOf(foreign).allows({ from: "shop/web", to: "TLS api.example.com" })).toBe(false);
    expect(foreign.ok && reportOf(foreign).map(({ code }) => code)).toContain("identity-not-expressible");
  });
});

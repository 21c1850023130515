import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { importNetworkPolicy } from "../../../src/import/network-policy/import.ts";
import { reportOf } from "../../../src/import/report.ts";
import { REPOSITORY, runCli } from "../../cli/run-cli.ts";
import { deciderOf, OPTIONS, sourceFile } from "../support/decide.ts";
import { runExample } from "../support/run-example.ts";

function importing(text: string) {
  return importNetworkPolicy([sourceFile("p.yaml", text)], null, OPTIONS);
}

function policy(apiVersion: string, kind: string, spec: string, namespace = "shop"): string {
  return `apiVersion: ${apiVersion}\nkind: ${kind}\nmetadata: {name: one, namespace: ${namespace}}\nspec: ${spec}\n---\n`;
}

const cilium = (spec: string, kind = "CiliumNetworkPolicy") => policy("cilium.io/v2", kind, spec);
const calico = (spec: string, kind = "NetworkPolicy") => policy("projectcalico.org/v3", kind, spec);

describe("import networkpolicy", () => {
  const DIRECTORY = join(REPOSITORY, "test/import/networkpolicy");

  it("makes of the example what its golden files say", async () => {
    const args = [
      join(DIRECTORY, "example"),
      "--owner",
      "platform@example.com",
      "--workloads",
      join(DIRECTORY, "workloads.yaml"),
    ];
    const out = await runExample("networkpolicy", args);
    const check = (from: string, to: string) => runCli(["check", from, to, "--policies", out]);
    expect((await check("shop/checkout", "TLS eu.ingest.sentry.io")).code).toBe(0);
    expect((await check("data/exporter", "GET http://storage.googleapis.com/")).code).toBe(2);
  });

  it("teaches its use", async () => {
    const { code, stdout } = await runCli(["import", "networkpolicy", "--help"]);
    expect(code).toBe(0);
    for (const each of ["--workloads", "--port", "toFQDNs", "Examples:", "Exit codes:"]) expect(stdout).toContain(each);
  });

  it.each([
    [
      "nothing to import",
      "apiVersion: constructor/v1\nkind: toString\nmetadata: {name: a}\n",
      "there is no network policy",
    ],
    ["an unknown key", cilium("{endpointSelector: {}, egres: []}"), "did you mean `egress`?"],
    ["a name that is none", cilium("{endpointSelector: {}, egress: [{toFQDNs: [{matchName: 1}]}]}"), "must be"],
    ["an unknown action", calico("{egress: [{action: Permit}]}"), "must be one of"],
    [
      "a selector of another shape",
      policy("networking.gke.io/v1alpha1", "FQDNNetworkPolicy", "{podSelector: []}"),
      "must be",
    ],
  ])("refuses %s, with the place", (_, text, message) => {
    const imported = importing(text);
    expect(imported.ok ? "" : imported.problems.map((each) => each.message).join("\n")).toContain(message);
  });

  it.each([
    [
      "a plain policy",
      policy("networking.k8s.io/v1", "NetworkPolicy", "{podSelector: {}, egress: [{}]}"),
      ["no-names"],
    ],
    [
      "nodes",
      cilium("{nodeSelector: {}, egress: [{toFQDNs: [{matchName: a.example.com}]}]}", "CiliumClusterwideNetworkPolicy"),
      ["not-for-pods"],
    ],
    [
      "labels that nobody mapped",
      cilium("{endpointSelector: {matchLabels: {a: b}}, egress: [{toFQDNs: [{matchName: a.example.com}]}]}"),
      ["workload-labels"],
    ],
    [
      "a port by name",
      cilium(
        "{endpointSelector: {}, egress: [{toFQDNs: [{matchName: a.example.com}], toPorts: [{ports: [{port: https}]}]}]}",
      ),
      ["port-by-name"],
    ],
    [
      "server names",
      cilium(
        '{endpointSelector: {}, egress: [{toFQDNs: [{matchName: a.example.com}], toPorts: [{serverNames: [a], ports: [{port: "443"}]}]}]}',
      ),
      ["condition-not-expressible"],
    ],
    [
      "an expression",
      calico("{selector: \"a in {'b'}\", egress: [{action: Allow, destination: {domains: [a.example.com]}}]}"),
      ["workload-labels"],
    ],
    [
      "two tiers",
      calico("{tier: security, egress: [{action: Pass}]}").replace("name: one", "name: two") +
        calico("{egress: [{action: Allow, destination: {domains: [a.example.com], ports: [443]}}]}"),
      ["earlier-deny"],
    ],
    [
      "a star that takes long",
      cilium(
        `{endpointSelector: {}, egress: [{toFQDNs: [{matchPattern: "${"*a".repeat(100)}.example.com"}, {matchName: ${"a".repeat(60)}.example.com}]}]}`,
      ),
      ["any-port", "name-pattern"],
    ],
  ])("opens nothing that it cannot say: %s", (_, text, codes) => {
    const imported = importing(text);
    expect(imported.ok && reportOf(imported).map(({ code }) => code)).toEqual(codes);
    expect(deciderOf(imported).allows({ from: "shop/web", to: "TLS a.example.com:443" })).toBe(false);
  });

  it("takes several rules in one object, and policies of the whole cluster", () => {
    const specs =
      "specs:\n- {endpointSelector: {}, egress: [{toFQDNs: [{matchName: a.example.com}]}]}\n- {egress: [{toFQDNs: [{matchName: b.example.com}]}]}\n";
    const many = deciderOf(
      importing(
        `apiVersion: cilium.io/v2\nkind: CiliumNetworkPolicy\nmetadata: {name: one, namespace: shop}\n${specs}`,
      ),
    );
    expect(["a", "b", "c"].map((each) => many.allows({ from: "shop/web", to: `TLS ${each}.example.com:443` }))).toEqual(
      [true, true, false],
    );
    const whole = deciderOf(
      importing(
        calico(
          "{namespaceSelector: all(), egress: [{action: Allow, destination: {domains: [a.example.com]}}]}",
          "GlobalNetworkPolicy",
        ),
      ),
    );
    expect(whole.allows({ from: "any/body", to: "TLS a.example.com:443" })).toBe(true);
  });

  it.each([
    ["nothing", "", "++"],
    [
      "a policy of the administrators",
      policy("policy.networking.k8s.io/v1alpha1", "AdminNetworkPolicy", "{egress: [{action: Deny}]}"),
      "--",
    ],
    [
      "a policy of the cluster",
      policy("policy.networking.k8s.io/v1alpha2", "ClusterNetworkPolicy", "{egress: [{action: Deny}]}"),
      "--",
    ],
    [
      "one of what comes in",
      policy("policy.networking.k8s.io/v1alpha1", "AdminNetworkPolicy", "{ingress: [{action: Deny}]}"),
      "++",
    ],
    ["Calico's own storage", policy("crd.projectcalico.org/v1", "NetworkPolicy", "{types: [Egress]}"), "-+"],
    ["a staged policy", policy("projectcalico.org/v3", "StagedGlobalNetworkPolicy", "{types: [Egress]}"), "++"],
    ["another vendor's", policy("crd.example.com/v1", "WebNetworkPolicy", "{egress: []}", "other"), "+-"],
    ["a way through other nodes", policy("cilium.io/v2", "CiliumEgressGatewayPolicy", "{}"), "--"],
    ["a mesh's policy", policy("security.istio.io/v1", "AuthorizationPolicy", "{}"), "--"],
    ["a mesh's registry", policy("networking.istio.io/v1", "ServiceEntry", "{}"), "++"],
  ])("opens nothing that another policy may stop: %s", (_, text, expected) => {
    const open = "{endpointSelector: {}, egress: [{toFQDNs: [{matchName: a.example.com}]}]}";
    const both = cilium(open) + policy("cilium.io/v2", "CiliumNetworkPolicy", open, "other");
    const ours = deciderOf(importing(both + text));
    const asked = ["shop/web", "other/web"].map((from) => ours.allows({ from, to: "TLS a.example.com:443" }));
    expect(asked.map((each) => (each ? "+" : "-")).join("")).toBe(expected);
  });

  it("opens it on somebody's word", () => {
    const text = cilium("{endpointSelector: {}, egress: [{toFQDNs: [{matchName: a.example.com}]}]}");
    const other = policy("policy.networking.k8s.io/v1alpha1", "AdminNetworkPolicy", "{egress: [{action: Deny}]}");
    const assumed = [{ kind: "AdminNetworkPolicy", namespace: null, name: "one" }];
    const imported = importNetworkPolicy([sourceFile("p.yaml", text + other)], null, { ...OPTIONS, assumed });
    expect(deciderOf(imported).allows({ from: "shop/web", to: "TLS a.example.com:443" })).toBe(true);
    expect(imported.ok && reportOf(imported).map(({ code }) => code)).toContain("assumed-open");
  });
});

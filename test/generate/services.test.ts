import { describe, expect, test } from "vitest";
import { objectName } from "../../src/generate/services.ts";
import { loadPolicySet } from "../../src/policy/load.ts";
import type { PolicySet } from "../../src/policy/model.ts";
import { namespacesOf, openingsOf } from "../../src/policy/visibility.ts";
import { canon, policyFiles } from "../policy/policy-files.ts";

const SERVICES = `
apiVersion: sallyport.dev/v1alpha1
kind: ExternalService
metadata: {name: stripe}
spec: {hosts: [api.stripe.com], ports: [{number: 443, protocol: TLS}]}
---
apiVersion: sallyport.dev/v1alpha1
kind: ExternalService
metadata: {name: wild}
spec: {hosts: ["*.wild.example.com"], ports: [{number: 443, protocol: TLS}]}
`;

function policy(name: string, from: string, to: string, more = "", namespace = "istio-egress"): string {
  return `
apiVersion: sallyport.dev/v1alpha1
kind: EgressPolicy
metadata: {name: ${name}, namespace: ${namespace}}
spec: {owner: a@example.com, ${more}rules: [{name: r, from: [${from}], to: [${to}]}]}
`;
}

function load(files: Record<string, string>): PolicySet {
  const { set, diagnostics } = loadPolicySet(policyFiles({ "services.yaml": SERVICES, ...files }), canon);
  if (set === null) throw new Error(JSON.stringify(diagnostics));
  return set;
}

function visible(files: Record<string, string>, name: string): readonly string[] | null | undefined {
  const set = load(files);
  const service = set.services.find((each) => each.name === name);
  return service === undefined ? undefined : namespacesOf(set, service);
}

describe("namespaces that can reach a service", () => {
  test("are none without a rule", () => {
    expect(visible({}, "stripe")).toEqual([]);
  });

  test("are those of the rules' service accounts, namespaces and SPIFFE IDs", () => {
    const rules = {
      "a.yaml": policy("a", "{serviceAccount: pay/x}, {namespace: data}", "{service: stripe}"),
      "b.yaml": policy("b", '{spiffe: "spiffe://cluster.local/ns/ml/*"}', "{hosts: [api.stripe.com]}"),
    };
    expect(visible(rules, "stripe")).toEqual(["data", "ml", "pay"]);
  });

  test("can be any when a rule names a trust domain or a SPIFFE ID of another form", () => {
    expect(
      visible({ "a.yaml": policy("a", "{trustDomain: cluster.local}", "{service: stripe}") }, "stripe"),
    ).toBeNull();
    const vm = policy("a", '{spiffe: "spiffe://cluster.local/vm/one"}', "{service: stripe}");
    expect(visible({ "a.yaml": vm }, "stripe")).toBeNull();
  });

  test("are a tenant's own for its own rules", () => {
    const rules = { "pay/a.yaml": policy("a", "{serviceAccount: pay/x}", "{service: stripe}", "", "pay") };
    expect(visible(rules, "stripe")).toEqual(["pay"]);
  });

  test("count no rule that only reports or denies", () => {
    const report = policy("a", "{namespace: data}", "{service: stripe}", "mode: report, ");
    expect(visible({ "a.yaml": report }, "stripe")).toEqual([]);
    const deny = policy("a", "{namespace: data}", "{service: stripe}").replace(
      "name: r,",
      "name: r, effect: deny, reason: no,",
    );
    expect(visible({ "a.yaml": deny }, "stripe")).toEqual([]);
  });

  test("count a rule for one host under a registered wildcard", () => {
    const rules = { "a.yaml": policy("a", "{namespace: data}", "{hosts: [a.wild.example.com]}") };
    expect(visible(rules, "wild")).toEqual(["data"]);
    expect(visible(rules, "stripe")).toEqual([]);
  });
});

test("names of objects tell a tenant's service from a global one of the same name", () => {
  expect(objectName({ scope: "", name: "a" })).toBe("a");
  expect(objectName({ scope: "b", name: "a" })).toBe("a.b");
});

test("openings say which rule opens", () => {
  const set = load({ "a.yaml": policy("a", "{namespace: data}", "{service: stripe}") });
  const [stripe] = set.services;
  expect(stripe && openingsOf(set, stripe).map(({ policy: { name }, rule }) => `${name}/${rule.name}`)).toEqual([
    "a/r",
  ]);
});

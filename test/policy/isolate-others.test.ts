import { describe, expect, it } from "vitest";
import { policyText, serviceText } from "../../src/policy/codes/code-entry.ts";
import { type LastGood, loadIsolated } from "../../src/policy/isolate.ts";
import { loadPolicySet } from "../../src/policy/load.ts";
import { canon, places, policyFiles, serviceOf } from "./policy-files.ts";

const BROKEN = "kind: [";
const HOST = serviceOf("partner", "partner.example.com");

function load(texts: Readonly<Record<string, string>>, lastGood: LastGood | null = null) {
  return loadIsolated(policyFiles(texts), canon, lastGood);
}

/** An allow of `pay/app` to services, in a policy of `namespace`. */
function allow(namespace: string, ...services: readonly string[]): string {
  const to = services.map((service) => `{service: ${service}}`).join(", ");
  return `apiVersion: sallyport.dev/v1alpha1
kind: EgressPolicy
metadata: {name: calls, namespace: ${namespace}}
spec:
  owner: team@example.com
  rules:
  - {name: call, from: [{serviceAccount: pay/app}], to: [${to}]}
`;
}

const MIRRORED = {
  "main.yaml": serviceText(
    "main",
    "hosts: [main.example.com]\nports: [{number: 80, protocol: HTTP}]\nmirror: {service: copy, percent: 5}",
  ),
  "copy.yaml": serviceText("copy", "hosts: [copy.example.com]\nports: [{number: 80, protocol: HTTP}]"),
};

describe("one namespace's mistake", () => {
  it.each([
    ["ranked after it", "pay", "shop"],
    ["ranked before it", "pay", "data"],
  ])("does not keep a host that another now has, %s", (_rank, broken, other) => {
    const before = load({ [`${broken}/s.yaml`]: HOST });
    expect(before.set?.services.map(({ scope }) => scope)).toContain(broken);
    const after = load({ [`${broken}/s.yaml`]: BROKEN, [`${other}/s.yaml`]: HOST }, before.lastGood);
    expect(after.set?.invalidNamespaces).toEqual([broken]);
    expect(after.set?.services.filter(({ name }) => name === "partner")).toMatchObject([{ scope: other }]);
    expect(after.stale).toMatchObject([{ namespace: broken, keptLastGood: false }]);
    expect(after.stale[0]?.diagnostics.map(({ code }) => code)).toEqual(
      expect.arrayContaining(["yaml-syntax", "host-claimed-twice"]),
    );
  });

  it("cannot take from a root policy what a root service's mirror needs", () => {
    const byTenant = {
      ...MIRRORED,
      "calls.yaml": allow("istio-egress", "main"),
      "pay/calls.yaml": allow("pay", "copy"),
    };
    expect(places(loadPolicySet(policyFiles(byTenant), canon).diagnostics)).toEqual([
      "route-not-allowed calls.yaml:7:57",
    ]);
    const byRoot = { ...MIRRORED, "calls.yaml": allow("istio-egress", "main", "copy") };
    expect(load(byRoot).diagnostics).toEqual([]);
    const after = load({ ...byRoot, "pay/calls.yaml": BROKEN });
    expect(after.set?.invalidNamespaces).toEqual(["pay"]);
  });

  it("may rest on what the root opens for it", () => {
    const both = { ...MIRRORED, "calls.yaml": allow("istio-egress", "copy"), "pay/calls.yaml": allow("pay", "main") };
    expect(load(both).diagnostics).toEqual([]);
  });
});

describe("a directory without a gateway", () => {
  it("is said to have none, as validate says", () => {
    const files = [{ path: "pay/s.yaml", bytes: Buffer.from(HOST) }];
    const isolated = loadIsolated(files, canon, null);
    expect(isolated.set).toBeNull();
    expect(places(isolated.diagnostics)).toEqual(["no-gateway pay/s.yaml:1:1"]);
    expect(isolated.diagnostics).toEqual(loadPolicySet(files, canon).diagnostics);
  });
});

describe("loose spellings", () => {
  it.each(["1", "0x7f.0.0.1", "10.0.0.0/33", "010.0.0.1", "fe80::1%eth0", "10.1/16"])(
    "refuses the address %s",
    (text) => {
      const spec = `hosts: [db.example.com]\nports: [{number: 5432, protocol: TCP}]\naddresses: ["192.0.2.0/24", "2001:db8::/32", "${text}"]`;
      const { diagnostics } = loadPolicySet(policyFiles({ "db.yaml": serviceText("db", spec) }), canon);
      expect(diagnostics.map(({ code }) => code)).toEqual(["invalid-address"]);
    },
  );

  it("takes `*` among paths for no condition, also where paths cannot be seen", () => {
    const of = (paths: string): string =>
      policyText(
        `- {name: r, from: [{serviceAccount: pay/app}], to: [{service: stripe, ports: [443], paths: ${paths}}]}`,
      );
    const codes = (paths: string) =>
      loadPolicySet(policyFiles({ "pay/p.yaml": of(paths) }), canon).diagnostics.map(({ code }) => code);
    expect(codes('["*"]')).toEqual([]);
    expect(codes('["/a"]')).toEqual(["opaque-conditions"]);
  });

  it("refuses an identity below a namespace's path that no namespace has", () => {
    const of = (path: string): string =>
      policyText(`- {name: r, from: [{spiffe: "spiffe://cluster.local/ns/pay/sa/${path}"}], to: [{service: stripe}]}`);
    const codes = (path: string) =>
      loadPolicySet(policyFiles({ "pay/p.yaml": of(path) }), canon).diagnostics.map(({ code }) => code);
    expect(codes("app")).toEqual([]);
    expect(codes("*")).toEqual([]);
    expect(codes("app/x")).toEqual(["outside-namespace"]);
    expect(codes("app/*")).toEqual(["outside-namespace"]);
  });
});

import { ValidatingAdmissionPolicy } from "kubernetes-models/admissionregistration.k8s.io/v1/ValidatingAdmissionPolicy";
import { ValidatingAdmissionPolicyBinding } from "kubernetes-models/admissionregistration.k8s.io/v1/ValidatingAdmissionPolicyBinding";
import { Deployment } from "kubernetes-models/apps/v1/Deployment";
import { NetworkPolicy } from "kubernetes-models/networking.k8s.io/v1/NetworkPolicy";
import { ClusterRole } from "kubernetes-models/rbac.authorization.k8s.io/v1/ClusterRole";
import { ConfigMap } from "kubernetes-models/v1/ConfigMap";
import { describe, expect, test } from "vitest";
import { kubernetesTarget } from "../../../src/generate/kubernetes/target.ts";
import { renderFile } from "../../../src/generate/render-file.ts";
import type { PolicySet } from "../../../src/policy/model.ts";
import { documentsOf, type KubernetesObject, loadModel, loadText } from "./policy-sets.ts";

const MODELS = { ClusterRole, ConfigMap, NetworkPolicy, ValidatingAdmissionPolicy, ValidatingAdmissionPolicyBinding };

/** Throws what Kubernetes' own schema finds wrong. */
function validate(object: KubernetesObject): void {
  const model = Object.entries(MODELS).find(([kind]) => kind === object.kind)?.[1];
  if (model === undefined) throw new Error(`no schema for ${object.kind}`);
  // biome-ignore lint/suspicious/noExplicitAny: one constructor per kind, each of which takes only its own shape
  const instance: { validate(): void } = new model(object as any);
  instance.validate();
}

function texts(set: PolicySet): ReadonlyMap<string, string> {
  const { files } = kubernetesTarget.generate(set, { native: false });
  return new Map(files.map((draft) => renderFile("kubernetes", draft)).map(({ path, text }) => [path, text]));
}

describe("what is generated", () => {
  const sets = [loadModel("Gateway"), loadModel("RegistryOnly")];

  test.each(sets)("is valid by Kubernetes' schemas: $gateway.securityModel", (set) => {
    const objects = documentsOf(set).filter(({ kind }) => kind !== "Component");
    expect(objects.length).toBeGreaterThan(5);
    for (const object of objects) expect(() => validate(object)).not.toThrow();
  });

  test("the schemas refuse what is wrong", () => {
    const [policy] = documentsOf(loadModel("Gateway"));
    expect(() => validate({ ...policy, spec: { podSelector: 1 } } as never)).toThrow();
  });

  test("the node option patches the gateway's Deployment and nothing else", () => {
    const component = documentsOf(loadModel("Gateway")).find(({ kind }) => kind === "Component") as never as {
      readonly patches: readonly { readonly target: object; readonly patch: string }[];
    };
    expect(component.patches).toHaveLength(1);
    expect(component.patches[0]?.target).toMatchObject({
      kind: "Deployment",
      name: "egress",
      namespace: "istio-egress",
    });
    const labels = { istio: "egressgateway" };
    const patch = JSON.parse(component.patches[0]?.patch ?? "");
    const { spec } = patch.spec.template;
    const template = { metadata: { labels }, spec: { ...spec, containers: [{ name: "istio-proxy" }] } };
    const whole = { ...patch, spec: { selector: { matchLabels: labels }, template } };
    expect(() => new Deployment(whole).validate()).not.toThrow();
    expect(spec.nodeSelector).toEqual({ "sallyport.dev/egress": "true" });
  });

  test("no name occurs twice in one kind and namespace", () => {
    for (const set of sets) {
      const keys = documentsOf(set).map(({ kind, metadata }) => `${kind} ${metadata?.namespace} ${metadata?.name}`);
      expect(new Set(keys).size).toBe(keys.length);
    }
  });
});

test("one service's edit changes what depends on it, and no namespace's file", () => {
  const before = texts(loadModel("Gateway"));
  const more = `---
apiVersion: sallyport.dev/v1alpha1
kind: ExternalService
metadata: {name: more}
spec: {hosts: [more.example.com], ports: [{number: 8443, protocol: TLS}]}
`;
  const after = texts(loadModel("Gateway", more));
  const changed = [...after].filter(([path, text]) => before.get(path) !== text).map(([path]) => path);
  expect(changed.sort()).toEqual(["admission/mesh-objects.yaml", "gateway.yaml", "nodes/firewall.yaml"]);
});

describe("what network policy cannot hold is said", () => {
  const gateway = (spec: string): PolicySet =>
    loadText(`
apiVersion: sallyport.dev/v1alpha1
kind: EgressGateway
metadata: {name: egress, namespace: istio-egress}
spec: {${spec}}
---
apiVersion: sallyport.dev/v1alpha1
kind: ExternalService
metadata: {name: stripe}
spec: {hosts: [api.stripe.com], ports: [{number: 443, protocol: TLS}]}
---
apiVersion: sallyport.dev/v1alpha1
kind: EgressPolicy
metadata: {name: who, namespace: istio-egress}
spec:
  owner: security@example.com
  rules:
  - {name: call, from: [{serviceAccount: kube-system/agent}], to: [{service: stripe}]}
`);

  test("a gateway without labels would let every pod beside it out: no file", () => {
    const { files, notes } = kubernetesTarget.generate(gateway("authorizer: {service: a.b}"), { native: false });
    expect(files).toEqual([]);
    expect(notes).toContainEqual(expect.objectContaining({ code: "no-gateway-selector", severity: "error" }));
  });

  test("an authorizer whose pods cannot be told: no file", () => {
    const set = gateway("selector: {istio: egressgateway}, authorizer: {service: somewhere.else.example.com}");
    const { files, notes } = kubernetesTarget.generate(set, { native: false });
    expect(files).toEqual([]);
    expect(notes).toContainEqual(expect.objectContaining({ code: "not-expressible", severity: "error" }));
  });

  test("no authorizer, so none is shielded", () => {
    const { files, notes } = kubernetesTarget.generate(gateway("selector: {istio: egressgateway}"), { native: false });
    expect(files.map(({ path }) => path)).not.toContain("authorizer.yaml");
    expect(notes).toContainEqual(expect.objectContaining({ code: "no-authorizer", severity: "warning" }));
  });

  test("the cluster's own namespaces are left alone: a default deny there takes DNS from everybody", () => {
    const set = gateway("selector: {istio: egressgateway}, authorizer: {service: a.b}");
    const { files, notes } = kubernetesTarget.generate(set, { native: false });
    expect(files.map(({ path }) => path)).not.toContain("namespaces/kube-system.yaml");
    expect(notes).toContainEqual(expect.objectContaining({ code: "not-expressible", severity: "warning" }));
  });

  test("a gateway beside the cluster's own parts: whose pods run there is not held", () => {
    const set = gateway("selector: {istio: egressgateway}, authorizer: {service: sallyport.istio-system}");
    const { files, notes } = kubernetesTarget.generate(set, { native: false });
    const ownership = files.find(({ path }) => path === "admission/ownership.yaml");
    expect(JSON.stringify(ownership?.documents)).toMatch(/"values":\["istio-egress"\]/);
    expect(notes).toContainEqual(
      expect.objectContaining({
        code: "not-expressible",
        message: expect.stringContaining("who runs pods in `istio-system`"),
      }),
    );
  });

  test("under RegistryOnly each rule is as wide as its namespace", () => {
    const { notes } = kubernetesTarget.generate(loadModel("RegistryOnly"), { native: false });
    const narrow = notes.filter(({ code }) => code === "narrower-than-namespace");
    expect(narrow.map(({ message }) => message)).toContainEqual(expect.stringContaining("`stripe`"));
  });

  test("under AllowAny nothing is held", () => {
    const { files, notes } = kubernetesTarget.generate(loadModel("AllowAny"), { native: false });
    expect(files).toEqual([]);
    expect(notes.map(({ code }) => code)).toEqual(["model-enforces-nothing"]);
  });
});

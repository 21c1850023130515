import { kubernetesTarget } from "../../../src/generate/kubernetes/target.ts";
import { loadPolicySet } from "../../../src/policy/load.ts";
import type { PolicySet } from "../../../src/policy/model.ts";
import { canon } from "../../policy/policy-files.ts";

/** A gateway of a security model, a service of each kind and two namespaces that may reach some of them. */
export function loadModel(model: PolicySet["gateway"]["securityModel"], more = ""): PolicySet {
  return loadText(`
kind: EgressGateway
apiVersion: sallyport.dev/v1alpha1
metadata: {name: egress, namespace: istio-egress}
spec:
  securityModel: ${model}
  selector: {istio: egressgateway}
  authorizer: {service: sallyport.sallyport-system, port: 9191}
---
apiVersion: sallyport.dev/v1alpha1
kind: ExternalService
metadata: {name: stripe}
spec:
  hosts: [api.stripe.com]
  ports: [{number: 80, protocol: HTTP}]
  tls: {originate: gateway, port: 443}
---
apiVersion: sallyport.dev/v1alpha1
kind: ExternalService
metadata: {name: wild}
spec: {hosts: ["*.wild.example.com"], ports: [{number: 443, protocol: TLS}]}
---
apiVersion: sallyport.dev/v1alpha1
kind: ExternalService
metadata: {name: database}
spec: {hosts: [db.example.com], ports: [{number: 5432, protocol: TCP}], addresses: [203.0.113.8/32]}
---
apiVersion: sallyport.dev/v1alpha1
kind: ExternalService
metadata: {name: ldap}
spec: {internal: true, hosts: ["10.40.0.12"], ports: [{number: 636, protocol: TCP}], addresses: [10.40.0.12/32]}
---
apiVersion: sallyport.dev/v1alpha1
kind: EgressPolicy
metadata: {name: who, namespace: istio-egress}
spec:
  owner: security@example.com
  rules:
  - {name: pay, from: [{serviceAccount: payments/checkout}], to: [{service: stripe}]}
  - {name: read, from: [{namespace: data}], to: [{service: database}, {service: ldap}]}
${more}`);
}

export function loadText(text: string): PolicySet {
  const { set, diagnostics } = loadPolicySet([{ path: "policies.yaml", bytes: Buffer.from(text) }], canon);
  if (set === null) throw new Error(JSON.stringify(diagnostics));
  return set;
}

/** A Kubernetes object, as far as tests look into it. */
export interface KubernetesObject {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: { readonly name: string; readonly namespace?: string };
}

/** All documents generated for a set. */
export function documentsOf(set: PolicySet): readonly KubernetesObject[] {
  const { files } = kubernetesTarget.generate(set, { native: false });
  return files.flatMap(({ documents }) => documents as readonly KubernetesObject[]);
}

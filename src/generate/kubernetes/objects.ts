/** Labels of every object that we generate; the admission policy protects what carries them. */
export const MANAGED_BY = { label: "app.kubernetes.io/managed-by", value: "sallyport" };

/** Label that Kubernetes itself sets on every namespace, and nobody can change. */
export const NAMESPACE_NAME = "kubernetes.io/metadata.name";

export function metadata(name: string, namespace?: string): object {
  return { name, ...(namespace === undefined ? {} : { namespace }), labels: { [MANAGED_BY.label]: MANAGED_BY.value } };
}

/** A NetworkPolicy's `spec`, as far as we use it. */
interface NetworkPolicySpec {
  readonly podSelector: object;
  readonly policyTypes: readonly ("Ingress" | "Egress")[];
  readonly ingress?: readonly object[];
  readonly egress?: readonly object[];
}

export function networkPolicy(name: string, namespace: string, spec: NetworkPolicySpec): object {
  return { apiVersion: "networking.k8s.io/v1", kind: "NetworkPolicy", metadata: metadata(name, namespace), spec };
}

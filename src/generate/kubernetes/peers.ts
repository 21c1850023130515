import type { EgressGateway } from "../../policy/model.ts";
import { NAMESPACE_NAME } from "./objects.ts";

/** Namespaces of the cluster itself: a default deny there would take DNS or the mesh from everybody. */
export const SYSTEM_NAMESPACES: readonly string[] = ["istio-system", "kube-node-lease", "kube-public", "kube-system"];

/** Pods with these labels in a namespace. */
export function podsOf(namespace: string, labels: Readonly<Record<string, string>>): object {
  const podSelector = Object.keys(labels).length === 0 ? {} : { podSelector: { matchLabels: labels } };
  return { namespaceSelector: { matchLabels: { [NAMESPACE_NAME]: namespace } }, ...podSelector };
}

export function gatewayPods({ namespace, selector }: EgressGateway): object {
  return podsOf(namespace, selector);
}

/** What every pod of the mesh needs: the cluster's DNS, and istiod for configuration and certificates. */
export function meshBasics(): readonly object[] {
  return [
    {
      to: [podsOf("kube-system", { "k8s-app": "kube-dns" })],
      ports: [
        { protocol: "UDP", port: 53 },
        { protocol: "TCP", port: 53 },
      ],
    },
    { to: [podsOf("istio-system", { app: "istiod" })], ports: tcp([15012]) },
  ];
}

/** Ports of a rule, sorted and without repetitions. */
export function tcp(ports: readonly number[]): readonly object[] {
  return [...new Set(ports)].sort((a, b) => a - b).map((port) => ({ protocol: "TCP", port }));
}

import type { Workload } from "../support/reach.ts";

/** Addresses of the Pods of every set's platform. */
export const GATEWAY_IP = "10.244.0.2";
export const AUTHORIZER_IP = "10.244.0.3";

export function podOf({ namespace, serviceAccount }: Workload): string {
  return `${namespace}/${serviceAccount}`;
}

/** What there is in the cluster beside what we generate: namespaces, the gateway's Pod, the authorizer, workloads with sidecars. */
export function platform(workloads: readonly Workload[], secrets: readonly object[]): readonly object[] {
  const namespaces = new Set([
    "istio-system",
    "istio-egress",
    "sallyport-system",
    ...workloads.map(({ namespace }) => namespace),
  ]);
  return [
    ...[...namespaces].map((name) => ({
      apiVersion: "v1",
      kind: "Namespace",
      metadata: { name, labels: { "istio-injection": "enabled" } },
    })),
    pod({ namespace: "istio-egress", serviceAccount: "egress" }, { istio: "egressgateway" }, GATEWAY_IP),
    pod(
      { namespace: "sallyport-system", serviceAccount: "sallyport" },
      { "app.kubernetes.io/name": "sallyport" },
      AUTHORIZER_IP,
    ),
    {
      apiVersion: "v1",
      kind: "Service",
      metadata: { name: "sallyport", namespace: "sallyport-system" },
      spec: {
        selector: { "app.kubernetes.io/name": "sallyport" },
        ports: [{ name: "grpc", port: 9191, targetPort: 9191 }],
      },
    },
    ...workloads.map((workload, i) => pod(workload, { app: workload.serviceAccount }, `10.244.1.${i + 1}`)),
    ...secrets,
  ];
}

function pod({ namespace, serviceAccount }: Workload, labels: object, podIP: string): object {
  return {
    apiVersion: "v1",
    kind: "Pod",
    metadata: { name: serviceAccount, namespace, labels: { ...labels, "security.istio.io/tlsMode": "istio" } },
    spec: {
      serviceAccountName: serviceAccount,
      containers: [
        { name: "app", image: "none" },
        { name: "istio-proxy", image: "auto" },
      ],
    },
    status: { podIP },
  };
}

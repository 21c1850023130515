import { valuesTable } from "./write-values.ts";

const TEXT = `<!-- Made by \`npm run generate\` from scripts/chart/readme.ts and values.ts: change it there. -->
# The chart

Runs the server beside Istio and, with \`gateway.enabled\`, the egress gateway's Pods. What the gateway does with traffic is made from the policies by
\`sallyport generate istio\` and \`kubernetes\`; names and labels agree. How to install it all: [docs/install-istio.md](../../docs/install-istio.md).
Kubernetes 1.30 or later. \`deploy/manifests\` holds the same, rendered for those without Helm.

\`\`\`sh
kubectl create namespace sallyport-system
helm install sallyport deploy/chart --namespace sallyport-system --set image.repository=example.com/sallyport --values policies.json
\`\`\`

- **A StatefulSet, so that a record outlives its Pod.** A Deployment cannot give each replica a volume of its own that stays when the Pod goes: every rollout would
  take the sealed trail with it. All Pods start and stop at once (\`podManagementPolicy: Parallel\`), volumes stay when replicas go. A Pod whose node is lost waits until
  the node is removed, which is why one server more than needed is planned for each zone ([sizing](../../docs/sizing.md)). With \`audit.volume.enabled: false\` it is a Deployment whose trail
  goes to standard output, OTLP or Kafka; the chart refuses a file there.
- **The certificate** comes from a Secret, from SPIRE, or from Istio's agent. The server ends mTLS itself in each case: no sidecar stands between it and the gateway.
  It is \`spiffe://<trust domain>/ns/<namespace>/sa/<name>\`, and read anew when it changes.
- **Probes** come to a port of their own, 9193, that says yes or no. Decisions and the console are on the Pod's loopback: \`kubectl port-forward\`. Metrics are there too, and over mTLS for \`metricsReaders\`.
- **Policies** reload by themselves; a change of \`config\` restarts the Pods one after the other.
- **Who may change it**: the namespaces of server and gateway should be the administrators' alone; \`admission/ownership.yaml\` of \`generate kubernetes\` holds them to it.
- The Pods pass Pod Security's \`restricted\`; the injected agent of \`tls.source: istioAgent\` needs Istio's CNI plugin for that.

## Values

Unknown values are errors. \`null\` takes a file out of \`policies.files\`.

`;

/** The text of deploy/chart/README.md. */
export function chartReadme(): string {
  return `${TEXT}${valuesTable()}\n`;
}

import type { PolicySet } from "../../policy/model.ts";
import type { FileDraft } from "../draft.ts";
import { upstreamPorts } from "../services.ts";
import { metadata } from "./objects.ts";

/** Label and taint of the nodes that alone may leave. */
const EGRESS_NODE = "sallyport.dev/egress";

/**
 * The option for those who trust nodes rather than network plugins: the gateway runs on nodes of its own, and the
 * firewall outside of the cluster lets no other leave. A component for kustomize, since it is a choice.
 */
export function nodeFiles(set: PolicySet): readonly FileDraft[] {
  const { name, namespace, at } = set.gateway;
  const ports = [...new Set(set.services.filter(({ internal }) => !internal).flatMap(upstreamPorts))].sort(
    (a, b) => a - b,
  );
  const pinned = {
    nodeSelector: { [EGRESS_NODE]: "true" },
    tolerations: [{ key: EGRESS_NODE, operator: "Equal", value: "true", effect: "NoSchedule" }],
  };
  return [
    {
      path: "nodes/kustomization.yaml",
      purpose: `An option: pins the gateway to nodes labelled and tainted ${EGRESS_NODE}=true:NoSchedule; list this directory under \`components\` where the gateway's Deployment is.`,
      sources: [at.file],
      inputs: { name, namespace },
      documents: [
        {
          apiVersion: "kustomize.config.k8s.io/v1alpha1",
          kind: "Component",
          resources: ["firewall.yaml"],
          patches: [
            {
              target: { group: "apps", version: "v1", kind: "Deployment", name, namespace },
              patch: JSON.stringify({
                apiVersion: "apps/v1",
                kind: "Deployment",
                metadata: { name, namespace },
                spec: { template: { spec: pinned } },
              }),
            },
          ],
        },
      ],
    },
    {
      path: "nodes/firewall.yaml",
      purpose: "What the firewall, security groups or NAT outside of the cluster should say beside pinned nodes.",
      sources: [at.file, ...set.services.map(({ at: { file } }) => file)],
      inputs: { namespace, ports },
      documents: [
        {
          apiVersion: "v1",
          kind: "ConfigMap",
          metadata: metadata("sallyport-egress-firewall", namespace),
          data: { hints: firewallHints(ports) },
        },
      ],
    },
  ];
}

function firewallHints(ports: readonly number[]): string {
  return [
    `1. Give only the nodes labelled ${EGRESS_NODE}=true a route or NAT to the Internet.`,
    `2. From those nodes allow TCP to public addresses on ports ${ports.length === 0 ? "(none registered)" : ports.join(", ")}.`,
    "3. From every other node deny what leaves the cluster's network, registries and the control plane excepted.",
    "4. From all pods deny the metadata addresses 169.254.169.254, 100.100.100.200, 168.63.129.16 and fd00:ec2::254.",
    "5. Let no workload but the gateway tolerate the taint, and forbid hostNetwork to tenants (Pod Security: baseline):",
    "   network policies do not bind pods on the node's own network.",
    "",
  ].join("\n");
}

import type { ExternalService, PolicySet } from "../../policy/model.ts";
import { namespacesOf } from "../../policy/visibility.ts";
import type { FileDraft } from "../draft.ts";
import { publicPeers } from "../public-addresses.ts";
import { upstreamPorts } from "../services.ts";
import { networkPolicy } from "./objects.ts";
import { gatewayPods, meshBasics, tcp } from "./peers.ts";
import { addressedRule, isAddressed } from "./upstream.ts";

/** The network policy of an application namespace: where all its pods may go, and nowhere else. */
export function namespaceFile(set: PolicySet, namespace: string): FileDraft {
  const underGateway = set.gateway.securityModel === "Gateway";
  const egress = [...meshBasics(), ...(underGateway ? [{ to: [gatewayPods(set.gateway)] }] : direct(set, namespace))];
  return {
    path: `namespaces/${namespace}.yaml`,
    purpose: underGateway
      ? `Pods of ${namespace} reach DNS, istiod and the egress gateway, and nothing else; traffic between applications is for policies of your own to allow.`
      : `Pods of ${namespace} reach DNS, istiod and public addresses on the ports of services that are open to them; no gateway is in the path.`,
    sources: [set.gateway.at.file],
    inputs: { namespace, egress },
    documents: [networkPolicy("sallyport-egress", namespace, { podSelector: {}, policyTypes: ["Egress"], egress })],
  };
}

/** Without a gateway the sidecars dial themselves. Names are not known to network policy; ports and CIDRs are. */
function direct(set: PolicySet, namespace: string): readonly object[] {
  const services = set.services.filter((service) => isOpen(set, service, namespace));
  const ports = services
    .filter((service) => !isAddressed(service) && !service.internal)
    .flatMap((service) => upstreamPorts(service));
  const open = ports.length === 0 ? [] : [{ to: publicPeers(), ports: tcp(ports) }];
  return [...open, ...services.filter(isAddressed).map(addressedRule)];
}

function isOpen(set: PolicySet, service: ExternalService, namespace: string): boolean {
  return namespacesOf(set, service)?.includes(namespace) ?? true;
}

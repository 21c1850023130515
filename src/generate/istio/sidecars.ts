import type { PolicySet } from "../../policy/model.ts";
import { namespacesOf } from "../../policy/visibility.ts";
import type { FileDraft } from "../draft.ts";
import type { GatewayListener } from "../listeners.ts";
import { hostsOf, meshHostOf } from "./leg.ts";
import { clusterNamespace, gatewayHost, istioObject } from "./objects.ts";

/** A Sidecar for each namespace that some rule lets out: what its proxies know of the outside is what it may reach. */
export function sidecarFiles(set: PolicySet, listeners: readonly GatewayListener[]): readonly FileDraft[] {
  const { gateway } = set;
  const visible = set.services.map((service) => ({ service, namespaces: namespacesOf(set, service) }));
  const namespaces = [...new Set(visible.flatMap(({ namespaces }) => namespaces ?? []))].sort();
  return namespaces
    .filter((namespace) => namespace !== gateway.namespace)
    .map((namespace) => {
      const services = visible.filter((each) => each.namespaces === null || each.namespaces.includes(namespace));
      const hosts = services
        .flatMap(({ service }) => [
          ...hostsOf(set, service),
          ...(gateway.securityModel === "RegistryOnly" ? service.hosts : []),
        ])
        .map((host) => `${clusterNamespace(host, gateway.clusterDomain) ?? gateway.namespace}/${meshHostOf(host)}`);
      const through = listeners.map((listener) => `${gateway.namespace}/${gatewayHost(gateway, listener)}`);
      const egress = [{ hosts: ["./*", "istio-system/*", ...through, ...new Set(hosts)].sort() }];
      return {
        path: `sidecars/${namespace}.yaml`,
        purpose: `What proxies in ${namespace} know: their own namespace, the control plane, and the hosts that some rule lets it reach.`,
        sources: [gateway.at.file, ...services.map(({ service }) => service.at.file)],
        inputs: egress,
        documents: [
          istioObject("Sidecar", "default", namespace, { egress, outboundTrafficPolicy: { mode: "REGISTRY_ONLY" } }),
        ],
      };
    });
}

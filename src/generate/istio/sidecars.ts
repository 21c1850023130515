import type { ExternalService, PolicySet } from "../../policy/model.ts";
import { namespacesOf } from "../../policy/visibility.ts";
import type { FileDraft } from "../draft.ts";
import { type Leg, meshHostOf } from "./leg.ts";
import { clusterNamespace, gatewayHost, istioObject } from "./objects.ts";

/** A Sidecar for each namespace that some rule lets out: what its proxies know of the outside is what it may reach. */
export function sidecarFiles(set: PolicySet, legs: readonly Leg[]): readonly FileDraft[] {
  const { gateway } = set;
  const byService = Map.groupBy(legs, ({ service }) => service);
  const namesOf = (service: ExternalService): readonly string[] =>
    (byService.get(service) ?? []).map(({ capturedAs }) => capturedAs);
  const visible = set.services.map((service) => ({ service, namespaces: namespacesOf(set, service) }));
  const namespaces = [...new Set(visible.flatMap(({ namespaces }) => namespaces ?? []))].sort();
  return namespaces
    .filter((namespace) => namespace !== gateway.namespace)
    .map((namespace) => {
      const services = visible.filter((each) => each.namespaces === null || each.namespaces.includes(namespace));
      const hosts = services
        .flatMap(({ service }) =>
          gateway.securityModel === "RegistryOnly" ? service.hosts.map(meshHostOf) : namesOf(service),
        )
        .map((host) => `${clusterNamespace(host, gateway.clusterDomain) ?? gateway.namespace}/${host}`);
      const through = [...new Set(legs.map(({ listener }) => listener))].map(
        (listener) => `${gateway.namespace}/${gatewayHost(gateway, listener)}`,
      );
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

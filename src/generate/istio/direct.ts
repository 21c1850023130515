import type { ExternalService, PolicySet } from "../../policy/model.ts";
import { listenerKind } from "../listeners.ts";
import { hostCidr } from "../public-addresses.ts";
import { isHttp, isWildcard, objectName } from "../services.ts";
import { meshHostOf } from "./leg.ts";
import { clusterNamespace, type IstioObject, istioObject } from "./objects.ts";
import { verifiedTls } from "./origination.ts";
import { exportTo, servicePort } from "./registry.ts";

/** A service where no gateway is in the path: sidecars go to it themselves, and make the TLS that the policy asks for. */
export function directObjects(set: PolicySet, service: ExternalService): readonly IstioObject[] {
  return [...service.hosts].sort().flatMap((host) => {
    if (clusterNamespace(host, set.gateway.clusterDomain) !== null) return [];
    const ports = service.ports.filter((port) => !isWildcard(host) || !originates(service, port.protocol));
    if (ports.length === 0) return [];
    const meshHost = meshHostOf(host);
    const name = `${objectName(service)}--${meshHost.replace("*", "any")}`;
    const { tls } = service;
    const entry = istioObject("ServiceEntry", name, set.gateway.namespace, {
      hosts: [meshHost],
      ...resolution(service, host),
      location: "MESH_EXTERNAL",
      ports: ports.map(({ number, protocol }) =>
        servicePort(listenerKind(protocol), number, originates(service, protocol) ? (tls?.port ?? number) : number),
      ),
      exportTo: exportTo(set, service),
    });
    const originated = ports.filter(({ protocol }) => originates(service, protocol));
    if (tls === null || originated.length === 0) return [entry];
    const rule = istioObject("DestinationRule", name, set.gateway.namespace, {
      host: meshHost,
      exportTo: exportTo(set, service),
      trafficPolicy: {
        portLevelSettings: originated.map(({ number }) => ({ port: { number }, tls: verifiedTls(tls, meshHost) })),
      },
    });
    return [entry, rule];
  });
}

function originates({ tls }: ExternalService, protocol: ExternalService["ports"][number]["protocol"]): boolean {
  return isHttp(protocol) && tls !== null && tls.originate !== "none";
}

function resolution({ addresses }: ExternalService, host: string): object {
  if (isWildcard(host)) return { resolution: "NONE" };
  // Istio takes no ranges together with a name to look up: sidecars then go where the application was going.
  if (hostCidr(host) === null)
    return addresses.length === 0 ? { resolution: "DNS" } : { addresses, resolution: "NONE" };
  const bare = host.replace(/[[\]]/g, "");
  return {
    addresses: addresses.length === 0 ? [bare] : addresses,
    resolution: "STATIC",
    endpoints: [{ address: bare }],
  };
}

import type { ExternalService, PolicySet } from "../../policy/model.ts";
import { namespacesOf } from "../../policy/visibility.ts";
import { hostCidr } from "../public-addresses.ts";
import { isHttp, objectName } from "../services.ts";
import { isRequest, type Leg } from "./leg.ts";
import { clusterNamespace, type IstioObject, istioObject } from "./objects.ts";

/** Namespaces that see a service, as `exportTo` says it: the gateway's own, and those that some allow names. */
export function exportTo(set: PolicySet, service: ExternalService): readonly string[] {
  const namespaces = namespacesOf(set, service);
  return namespaces === null
    ? ["*"]
    : [...new Set([".", ...namespaces.filter((each) => each !== set.gateway.namespace)])];
}

/**
 * What the mesh may know of a service: the dialled ports. An entry that had the upstream port as well would give sidecars a
 * way to it, round the gateway; so that port is in an entry of its own, which the gateway's namespace alone sees.
 */
export function serviceEntries(set: PolicySet, service: ExternalService, legs: readonly Leg[]): readonly IstioObject[] {
  const dialled = new Set(service.ports.map(({ number }) => number));
  const byHost = Map.groupBy(legs, ({ meshHost }) => meshHost);
  return [...byHost].flatMap(([meshHost, own]) => {
    // The mesh knows its own Services.
    if (clusterNamespace(meshHost, set.gateway.clusterDomain) !== null) return [];
    const mesh = own.map(({ listener, kind }) => servicePort(listener.dialled, MESH[kind]));
    const outer = new Map(
      own
        .filter((leg) => isRequest(leg) && !dialled.has(leg.port))
        .map((leg) => [leg.port, servicePort(leg.port, leg.tls === null ? MESH[leg.kind] : "HTTPS")]),
    );
    const entry = (suffix: string, ports: readonly object[], visible: readonly string[]): IstioObject =>
      istioObject("ServiceEntry", `${objectName(service)}--${meshHost}${suffix}`, set.gateway.namespace, {
        hosts: [meshHost],
        ...addresses(service, own[0]?.host ?? ""),
        location: "MESH_EXTERNAL",
        ports,
        exportTo: visible,
      });
    return [
      entry("", mesh, exportTo(set, service)),
      ...(outer.size === 0 ? [] : [entry("--upstream", [...outer.values()], ["."])]),
    ];
  });
}

const MESH = { http: "HTTP", grpc: "GRPC", tls: "TLS", tcp: "TCP" } as const;

function servicePort(number: number, protocol: string): object {
  return { number, name: `${protocol.toLowerCase()}-${number}`, protocol };
}

function addresses({ addresses, ports }: ExternalService, host: string): object {
  const address = hostCidr(host);
  const listed = ports.some(({ protocol }) => !isHttp(protocol)) && addresses.length > 0 ? { addresses } : {};
  if (address === null) return { ...listed, resolution: "DNS" };
  const bare = host.replace(/[[\]]/g, "");
  return {
    addresses: addresses.length === 0 ? [bare] : addresses,
    resolution: "STATIC",
    endpoints: [{ address: bare }],
  };
}

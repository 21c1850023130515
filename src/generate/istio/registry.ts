import type { ExternalService, PolicySet } from "../../policy/model.ts";
import { namespacesOf } from "../../policy/visibility.ts";
import type { ListenerKind } from "../listeners.ts";
import { hostCidr } from "../public-addresses.ts";
import { objectName } from "../services.ts";
import type { Leg } from "./leg.ts";
import { clusterNamespace, type IstioObject, istioObject } from "./objects.ts";

/** Namespaces that see a service, as `exportTo` says it: the gateway's own, and those that some allow names. */
export function exportTo(set: PolicySet, service: ExternalService): readonly string[] {
  const namespaces = namespacesOf(set, service);
  return namespaces === null
    ? ["*"]
    : [...new Set([".", ...namespaces.filter((each) => each !== set.gateway.namespace)])];
}

/**
 * What the mesh may know of a service: the dialled ports, and behind each the port that the gateway dials. An entry that had
 * that one as a port of its own would give sidecars a way to it, round the gateway; in an entry of its own it would be lost,
 * since of two entries for one host Istio shows a gateway only one.
 */
export function serviceEntries(set: PolicySet, service: ExternalService, legs: readonly Leg[]): readonly IstioObject[] {
  const entry = (host: string, own: readonly Leg[], where: object, visible: readonly string[]): IstioObject =>
    istioObject("ServiceEntry", `${objectName(service)}--${host}`, set.gateway.namespace, {
      hosts: [host],
      ...where,
      location: "MESH_EXTERNAL",
      ports: own.map(({ listener, kind, port }) => servicePort(kind, listener.dialled, port)),
      exportTo: visible,
    });
  const visible = exportTo(set, service);
  const { addresses } = service;
  // The mesh knows its own Services.
  const foreign = legs.filter(({ meshHost }) => clusterNamespace(meshHost, set.gateway.clusterDomain) === null);
  const [named, captured] = [foreign.filter(isNamed), foreign.filter((leg) => !isNamed(leg))];
  return [
    ...[...Map.groupBy(named, ({ meshHost }) => meshHost)].map(([host, own]) =>
      entry(host, own, resolution(service, own), visible),
    ),
    ...captured.flatMap((leg) => [
      entry(
        leg.capturedAs,
        [leg],
        { addresses, resolution: "NONE" },
        visible.filter((each) => each !== "."),
      ),
      entry(leg.meshHost, [leg], { resolution: "DNS" }, ["."]),
    ]),
  ];
}

function isNamed({ capturedAs, meshHost }: Leg): boolean {
  return capturedAs === meshHost;
}

const PROTOCOL = { http: "HTTP", grpc: "GRPC", tls: "TLS", tcp: "TCP" } as const;

/** A port that applications dial, and where a connection to it ends. */
export function servicePort(kind: ListenerKind, number: number, target: number): object {
  const protocol = PROTOCOL[kind];
  const name = `${protocol.toLowerCase()}-${number}`;
  return { number, name, protocol, ...(target === number ? {} : { targetPort: target }) };
}

function resolution({ addresses }: ExternalService, [leg]: readonly Leg[]): object {
  const address = hostCidr(leg?.host ?? "");
  if (address === null) return { resolution: "DNS" };
  const bare = leg?.host.replace(/[[\]]/g, "");
  return {
    addresses: addresses.length === 0 ? [bare] : addresses,
    resolution: "STATIC",
    endpoints: [{ address: bare }],
  };
}

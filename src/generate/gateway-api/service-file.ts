import type { ExternalService, PolicySet } from "../../policy/model.ts";
import { namespacesOf } from "../../policy/visibility.ts";
import type { FileDraft } from "../draft.ts";
import { afterDecision, catchAll, connectionAuthorization, namedRoutes } from "../istio/envoy-filters.ts";
import { servicePort } from "../istio/registry.ts";
import { listenerKind } from "../listeners.ts";
import { isHttp, objectName, serviceTitle } from "../services.ts";
import { keyOf, type Leg, legsOf } from "./leg.ts";
import { metadata } from "./objects.ts";

/** A service's way from the application to the gateway, and from there out. */
export function serviceFile(set: PolicySet, service: ExternalService, ports: ReadonlyMap<string, number>): FileDraft {
  const namespaces = namespacesOf(set, service);
  const legs = legsOf(service);
  const { name, namespace, authorizer } = set.gateway;
  return {
    path: `services/${objectName(service)}.yaml`,
    purpose: `${serviceTitle(service)}: its hosts for the mesh, the routes to the gateway and from there out.`,
    sources: [service.at.file],
    inputs: {
      service,
      namespaces,
      gateway: { name, namespace, authorizer },
      ports: legs.map((leg) => ports.get(keyOf(leg))),
    },
    documents: [
      ...entries(set, service, namespaces, legs),
      ...origination(set, service, legs),
      ...legs.flatMap((leg) => [toGateway(set, leg, ports), out(set, leg)]),
      tellPorts(set, service, legs, ports),
    ],
  };
}

/**
 * What the mesh may know: the dialled ports, and behind each the port that the gateway dials, which would else be a way
 * round it.
 */
function entries(
  set: PolicySet,
  service: ExternalService,
  namespaces: readonly string[] | null,
  legs: readonly Leg[],
): readonly object[] {
  const { namespace } = set.gateway;
  const exportTo = namespaces === null ? ["*"] : [...new Set([".", ...namespaces])];
  return [...service.hosts].sort().map((host, index) => ({
    apiVersion: "networking.istio.io/v1",
    kind: "ServiceEntry",
    metadata: metadata(`${objectName(service)}-${index}`, namespace),
    spec: {
      hosts: [host],
      location: "MESH_EXTERNAL",
      resolution: "DNS",
      ports: legs
        .filter((leg) => leg.host === host)
        .map(({ dialled, upstream }) => servicePort(listenerKind(dialled.protocol), dialled.number, upstream)),
      exportTo,
    },
  }));
}

/** Verified TLS, for the gateway's own namespace only: sidecars that had this rule would speak TLS twice. */
function origination(set: PolicySet, { tls, connections }: ExternalService, legs: readonly Leg[]): readonly object[] {
  if (tls === null) return [];
  const pool =
    connections === null
      ? {}
      : {
          connectionPool: {
            http: {
              maxRequestsPerConnection: connections.maxRequestsPerConnection,
              idleTimeout: `${connections.idleTimeoutMs / 1000}s`,
            },
          },
        };
  const mode = tls.credentialName === null ? "SIMPLE" : "MUTUAL";
  const seen = legs.filter(({ originates }) => originates).map(({ host, name }) => [host, name] as const);
  return [...new Map([...seen].reverse())].reverse().map(([host, name]) => ({
    apiVersion: "networking.istio.io/v1",
    kind: "DestinationRule",
    metadata: metadata(name, set.gateway.namespace),
    spec: {
      host,
      exportTo: ["."],
      trafficPolicy: {
        portLevelSettings: legs
          .filter((leg) => leg.originates && leg.host === host)
          .map(({ dialled }) => ({
            port: { number: dialled.number },
            ...pool,
            tls: {
              mode,
              sni: host,
              subjectAltNames: tls.subjectAltNames.length === 0 ? [host] : tls.subjectAltNames,
              ...(tls.credentialName === null ? {} : { credentialName: tls.credentialName }),
              ...(tls.caCertificates === null ? {} : { caCertificates: tls.caCertificates }),
            },
          })),
      },
    },
  }));
}

/** The mesh's leg: whoever dials the host comes to the gateway. */
function toGateway(set: PolicySet, leg: Leg, ports: ReadonlyMap<string, number>): object {
  const { name, namespace } = set.gateway;
  const http = isHttp(leg.dialled.protocol);
  const parent = leg.name.slice(0, leg.name.lastIndexOf("-"));
  return {
    apiVersion: http ? "gateway.networking.k8s.io/v1" : "gateway.networking.k8s.io/v1alpha2",
    kind: http ? "HTTPRoute" : "TLSRoute",
    metadata: metadata(`${leg.name}-mesh`, namespace),
    spec: {
      parentRefs: [{ group: "networking.istio.io", kind: "ServiceEntry", name: parent, port: leg.dialled.number }],
      ...(http ? {} : { hostnames: [leg.host] }),
      rules: [{ backendRefs: [{ name, port: ports.get(keyOf(leg)) }] }],
    },
  };
}

/** The gateway's leg. Behind terminated TLS Istio takes TCP routes; the listener already holds the one host. */
function out(set: PolicySet, leg: Leg): object {
  const { name, namespace } = set.gateway;
  const backendRefs = [{ group: "networking.istio.io", kind: "Hostname", name: leg.host, port: leg.dialled.number }];
  const parentRefs = [{ name, sectionName: leg.name }];
  if (!isHttp(leg.dialled.protocol)) {
    return {
      apiVersion: "gateway.networking.k8s.io/v1alpha2",
      kind: "TCPRoute",
      metadata: metadata(leg.name, namespace),
      spec: { parentRefs, rules: [{ backendRefs }] },
    };
  }
  // Envoy adds the client's certificate for us; outside it is nobody's business.
  const filters = [{ type: "RequestHeaderModifier", requestHeaderModifier: { remove: ["x-forwarded-client-cert"] } }];
  return {
    apiVersion: "gateway.networking.k8s.io/v1",
    kind: "HTTPRoute",
    metadata: metadata(leg.name, namespace),
    spec: { parentRefs, hostnames: [leg.host], rules: [{ filters, backendRefs }] },
  };
}

/** Tells the authorizer the dialled port, by the gateway's port that stands for it, and dials after its answer. */
function tellPorts(
  set: PolicySet,
  service: ExternalService,
  legs: readonly Leg[],
  ports: ReadonlyMap<string, number>,
): object {
  const configPatches = legs.flatMap((leg) => patches(set, leg, ports.get(keyOf(leg)) ?? 0));
  return {
    apiVersion: "networking.istio.io/v1alpha3",
    kind: "EnvoyFilter",
    metadata: metadata(`${objectName(service)}-ports`, set.gateway.namespace),
    spec: { workloadSelector: { labels: set.gateway.selector }, priority: 10, configPatches },
  };
}

function patches(set: PolicySet, { dialled }: Leg, portNumber: number): readonly object[] {
  const port = `${dialled.number}`;
  if (isHttp(dialled.protocol)) return [namedRoutes(portNumber, port), catchAll(portNumber, port)];
  return [
    ...connectionAuthorization(set, [{ key: "sallyport-port", value: port }], { portNumber }),
    afterDecision({ portNumber }),
  ];
}

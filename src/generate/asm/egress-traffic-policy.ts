import type { ExternalService, PolicySet } from "../../policy/model.ts";
import type { FileDraft } from "../draft.ts";
import { gatewayPorts } from "../gateway-ports.ts";
import { objectName } from "../services.ts";

/** A service that goes into the policy, and the namespaces that may reach it. */
export interface Held {
  readonly service: ExternalService;
  readonly namespaces: readonly string[];
}

/**
 * One object, because its name belongs to the gateway. Each host has a `to` of its own, since hosts of one `to` must
 * resolve to the same addresses, and each `to` a port of the gateway, by which the authorizer is told what was dialled.
 * @see ASMEgressTrafficPolicy CRD description, Alibaba Cloud Service Mesh
 */
export function egressTrafficPolicyFile(set: PolicySet, held: readonly Held[]): FileDraft {
  const { name, selector, at } = set.gateway;
  const ports = gatewayPorts(held.flatMap(({ service }) => keysOf(service)));
  const policy = {
    apiVersion: "istio.alibabacloud.com/v1beta1",
    kind: "ASMEgressTrafficPolicy",
    metadata: { name: `egress-by-${name}`, namespace: "istio-egress", labels: LABELS },
    spec: {
      byEgressGateway: { name },
      egressRules: held.map(({ service, namespaces }) => ({
        name: objectName(service),
        from: namespaces.map((namespace) => ({ namespace })),
        to: targetsOf(service, ports),
      })),
    },
  };
  const filter = {
    apiVersion: "networking.istio.io/v1alpha3",
    kind: "EnvoyFilter",
    metadata: { name: "sallyport-asm-ports", namespace: "istio-egress", labels: LABELS },
    spec: {
      workloadSelector: { labels: selector },
      configPatches: held.flatMap(({ service }) => patchesOf(service, ports)),
    },
  };
  return {
    path: "egress-traffic-policy.yaml",
    purpose:
      "Services whose applications speak TLS themselves: the way to the gateway and out, and the port each chain stands for.",
    sources: [at.file, ...held.map(({ service }) => service.at.file)],
    inputs: { name, selector, held: held.map(({ service, namespaces }) => ({ ...service, namespaces })) },
    documents: [policy, filter],
  };
}

const LABELS = { "app.kubernetes.io/managed-by": "sallyport" };

function pairsOf({ hosts, ports }: ExternalService): readonly { readonly host: string; readonly number: number }[] {
  return [...hosts].sort().flatMap((host) => ports.map(({ number }) => ({ host, number })));
}

function keysOf(service: ExternalService): readonly string[] {
  return pairsOf(service).map(({ host, number }) => `${host}:${number}`);
}

function targetsOf(service: ExternalService, ports: ReadonlyMap<string, number>): readonly object[] {
  return pairsOf(service).map(({ host, number }, index) => ({
    name: `${objectName(service)}-${index}`,
    hosts: [host],
    port: { name: `tls-${number}`, number, protocol: "TLS" },
    byEgressGateway: { port: ports.get(`${host}:${number}`) },
  }));
}

/** Envoy's listener tells the authorizer host and port, and nothing is dialled before its answer. */
function patchesOf(service: ExternalService, ports: ReadonlyMap<string, number>): readonly object[] {
  return pairsOf(service).flatMap(({ host, number }) => {
    const portNumber = ports.get(`${host}:${number}`);
    return [
      networkPatch(portNumber, "envoy.filters.network.ext_authz", {
        "@type": "type.googleapis.com/envoy.extensions.filters.network.ext_authz.v3.ExtAuthz",
        grpc_service: { initial_metadata: [{ key: "sallyport-port", value: `${number}` }] },
      }),
      networkPatch(portNumber, "envoy.filters.network.tcp_proxy", {
        "@type": "type.googleapis.com/envoy.extensions.filters.network.tcp_proxy.v3.TcpProxy",
        upstream_connect_mode: "ON_DOWNSTREAM_DATA",
        max_early_data_bytes: 16_384,
      }),
    ];
  });
}

function networkPatch(portNumber: number | undefined, name: string, typedConfig: object): object {
  return {
    applyTo: "NETWORK_FILTER",
    match: { context: "GATEWAY", listener: { portNumber, filterChain: { filter: { name } } } },
    patch: { operation: "MERGE", value: { typed_config: typedConfig } },
  };
}

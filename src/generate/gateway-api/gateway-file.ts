import type { PolicySet } from "../../policy/model.ts";
import type { FileDraft } from "../draft.ts";
import { isHttp } from "../services.ts";
import { keyOf, type Leg } from "./leg.ts";
import { metadata } from "./objects.ts";

/** The Gateway, bound to the pods behind the set's Service, with one listener per host and port. */
export function gatewayFile(set: PolicySet, legs: readonly Leg[], ports: ReadonlyMap<string, number>): FileDraft {
  const { name, namespace, selector, clusterDomain, at } = set.gateway;
  const service = `${name}.${namespace}.svc.${clusterDomain}`;
  const gateway = {
    apiVersion: "gateway.networking.k8s.io/v1",
    kind: "Gateway",
    metadata: metadata(name, namespace),
    spec: {
      gatewayClassName: "istio",
      addresses: [{ type: "Hostname", value: service }],
      listeners: legs.map((leg) => ({
        name: leg.name,
        hostname: leg.host,
        port: ports.get(keyOf(leg)),
        protocol: isHttp(leg.dialled.protocol) ? "HTTPS" : "TLS",
        // Without this option a listener takes a server's certificate and asks clients for none: nobody would be known.
        tls: { mode: "Terminate", options: { "gateway.istio.io/tls-terminate-mode": "ISTIO_MUTUAL" } },
        allowedRoutes: {
          namespaces: { from: "Same" },
          kinds: [
            { group: "gateway.networking.k8s.io", kind: isHttp(leg.dialled.protocol) ? "HTTPRoute" : "TCPRoute" },
          ],
        },
      })),
    },
  };
  const exposed = {
    apiVersion: "v1",
    kind: "Service",
    metadata: metadata(name, namespace),
    spec: {
      type: "ClusterIP",
      selector,
      ports: legs.map((leg) => {
        const port = ports.get(keyOf(leg));
        const appProtocol = leg.dialled.protocol === "GRPC" ? "grpc" : isHttp(leg.dialled.protocol) ? "http" : "tcp";
        return { name: `p${port}`, port, targetPort: port, protocol: "TCP", appProtocol };
      }),
    },
  };
  const toGateway = {
    apiVersion: "networking.istio.io/v1",
    kind: "DestinationRule",
    metadata: metadata(`${name}-mutual-tls`, namespace),
    spec: {
      host: service,
      trafficPolicy: {
        portLevelSettings: legs.map((leg) => ({
          port: { number: ports.get(keyOf(leg)) },
          tls: { mode: "ISTIO_MUTUAL", sni: leg.host },
        })),
      },
    },
  };
  return {
    path: "gateway.yaml",
    purpose:
      "The egress Service, and the Gateway on the pods behind it: one port per host and dialled port, for mesh identities only.",
    sources: [at.file, ...set.services.map(({ at: { file } }) => file)],
    inputs: { name, namespace, selector, legs },
    documents: [exposed, gateway, toGateway],
  };
}

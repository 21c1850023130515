import type { Authorizer, PolicySet } from "../../policy/model.ts";
import { AUTHORIZER_LIMITS } from "../authorizer-limits.ts";
import type { FileDraft } from "../draft.ts";
import { type GatewayListener, listenerName } from "../listeners.ts";
import { authorizerHost, gatewayServiceName, type IstioObject, istioObject } from "./objects.ts";

/** The name of the authorization provider: no other provider's name begins with it, or Istio would take the one for the other. */
export const PROVIDER = "sallyport-egress";
export const ACCESS_LOG = "sallyport-egress-log";

/** The gateway's Services, who may come in, and who decides. */
export function gatewayFile(
  set: PolicySet,
  listeners: readonly GatewayListener[],
  authorization: readonly IstioObject[],
): FileDraft {
  const { gateway } = set;
  const { name, namespace, selector, at } = gateway;
  const services = listeners.map((listener) => {
    const port = {
      name: listenerName(listener),
      port: listener.port,
      targetPort: listener.port,
      protocol: "TCP",
      appProtocol: listener.kind === "grpc" ? "grpc" : listener.kind === "http" ? "http" : "tcp",
    };
    return istioObject("Service", gatewayServiceName(gateway, listener), namespace, {
      type: "ClusterIP",
      selector,
      ports: [port],
    });
  });
  return {
    path: "gateway.yaml",
    purpose:
      "The gateway's Services, one for each kind of traffic and dialled port, who may come in there, and who decides.",
    sources: [at.file],
    inputs: { gateway, services },
    documents: [
      ...services,
      istioObject("PeerAuthentication", name, namespace, {
        selector: { matchLabels: selector },
        mtls: { mode: "STRICT" },
      }),
      ...authorization,
      istioObject("Telemetry", name, namespace, {
        selector: { matchLabels: selector },
        accessLogging: [{ providers: [{ name: ACCESS_LOG }] }],
        metrics: [{ providers: [{ name: "prometheus" }] }],
        tracing: [{ randomSamplingPercentage: 1 }],
      }),
    ],
  };
}

/** Everything is asked about; and whoever has no identity is refused, should the first policy ever match nothing. */
export function askAuthorizer(set: PolicySet, authorizer: Authorizer): readonly IstioObject[] {
  const { name, namespace, selector, clusterDomain } = set.gateway;
  const pods = { selector: { matchLabels: selector } };
  const host = authorizerHost(authorizer.service, clusterDomain);
  return [
    istioObject("AuthorizationPolicy", `${name}-ask`, namespace, {
      ...pods,
      action: "CUSTOM",
      provider: { name: PROVIDER },
      rules: [{}],
    }),
    istioObject("AuthorizationPolicy", `${name}-identities`, namespace, {
      ...pods,
      action: "ALLOW",
      rules: [{ from: [{ source: { principals: ["*"] } }] }],
    }),
    istioObject("DestinationRule", `${name}-authorizer`, namespace, {
      host,
      exportTo: ["."],
      trafficPolicy: {
        tls: { mode: "ISTIO_MUTUAL" },
        connectionPool: {
          tcp: {
            maxConnections: AUTHORIZER_LIMITS.connections,
            connectTimeout: "1s",
            tcpKeepalive: { time: "30s", interval: "10s" },
          },
          http: {
            // Whatever its name says, this counts requests over HTTP/2 too.
            http1MaxPendingRequests: AUTHORIZER_LIMITS.waiting,
            http2MaxRequests: AUTHORIZER_LIMITS.requests,
            maxConcurrentStreams: AUTHORIZER_LIMITS.streams,
            maxRequestsPerConnection: 100_000,
          },
        },
        outlierDetection: {
          consecutiveGatewayErrors: 5,
          interval: "5s",
          baseEjectionTime: "10s",
          maxEjectionPercent: 50,
        },
      },
    }),
  ];
}

/** Nobody but the gateway may ask the authorizer, which believes what it is told. */
export function shieldAuthorizer(set: PolicySet, authorizer: Authorizer): FileDraft {
  const { namespace: gatewayNamespace, at } = set.gateway;
  const [service = "", namespace = ""] = authorizer.service.split(".");
  const selector = { matchLabels: { "app.kubernetes.io/name": service } };
  return {
    path: "authorizer.yaml",
    purpose: "The authorizer takes questions over mTLS alone, and from the gateway's namespace alone.",
    sources: [at.file],
    inputs: { authorizer, gatewayNamespace },
    documents: [
      istioObject("PeerAuthentication", service, namespace, { selector, mtls: { mode: "STRICT" } }),
      istioObject("AuthorizationPolicy", `${service}-callers`, namespace, {
        selector,
        action: "ALLOW",
        rules: [
          {
            from: [{ source: { namespaces: [gatewayNamespace] } }],
            to: [{ operation: { ports: [`${authorizer.port}`] } }],
          },
        ],
      }),
    ],
  };
}

import type { PolicySet } from "../../policy/model.ts";
import type { FileDraft } from "../draft.ts";
import { ACCESS_LOG, PROVIDER } from "./gateway-file.ts";
import { authorizerHost } from "./objects.ts";

const MODE = { AllowAny: "ALLOW_ANY", RegistryOnly: "REGISTRY_ONLY", Gateway: "REGISTRY_ONLY" } as const;

/** Settings of the whole mesh, to be merged into its MeshConfig: there is no object for them. */
export function meshConfigFile(set: PolicySet, asksAuthorizer: boolean): FileDraft {
  const { securityModel, trustDomains, at } = set.gateway;
  const [trustDomain, ...trustDomainAliases] = trustDomains;
  const gateway = securityModel === "Gateway";
  const document = {
    trustDomain,
    ...(trustDomainAliases.length === 0 ? {} : { trustDomainAliases }),
    outboundTrafficPolicy: { mode: MODE[securityModel] },
    // As Istio's default, but said: the authorizer decides on the path that goes on.
    pathNormalization: { normalization: "BASE" },
    ...(gateway ? gatewaySettings(set, asksAuthorizer) : {}),
  };
  return {
    path: "mesh-config.yaml",
    purpose:
      "Merge this into the mesh's MeshConfig (`mesh` of ConfigMap istio-system/istio, or `meshConfig` of its Helm values).",
    sources: [at.file],
    inputs: document,
    documents: [document],
  };
}

function gatewaySettings(set: PolicySet, asksAuthorizer: boolean): object {
  return {
    enableTracing: true,
    defaultConfig: {
      // A workload's certificate is nobody's business outside. Gateways that must hand it on say so on their own pods.
      gatewayTopology: { forwardClientCertDetails: "SANITIZE" },
      proxyHeaders: { metadataExchangeHeaders: { mode: "IN_MESH" } },
    },
    extensionProviders: [
      { name: "prometheus", prometheus: {} },
      ...(asksAuthorizer ? authorizationProvider(set) : []),
      { name: ACCESS_LOG, envoyFileAccessLog: { path: "/dev/stdout", logFormat: { labels: LABELS } } },
    ],
  };
}

function authorizationProvider({ gateway: { authorizer, clusterDomain } }: PolicySet): readonly object[] {
  if (authorizer === null) return [];
  const { service, port, timeoutMs, failOpen } = authorizer;
  const namespace = service.split(".")[1] ?? "";
  return [
    {
      name: PROVIDER,
      envoyExtAuthzGrpc: {
        // With its namespace: a tenant's ServiceEntry of the same name would else make the provider ambiguous.
        service: `${namespace}/${authorizerHost(service, clusterDomain)}`,
        port,
        timeout: `${timeoutMs / 1000}s`,
        failOpen,
        statusOnError: "403",
      },
    },
  ];
}

function decided(field: string): string {
  return `%DYNAMIC_METADATA(envoy.filters.http.ext_authz:${field})%`;
}

function decidedOnConnection(field: string): string {
  return `%DYNAMIC_METADATA(envoy.filters.network.ext_authz:${field})%`;
}

/** No query string, and no header of the caller's but the host. */
const LABELS = {
  time: "%START_TIME%",
  peer: "%DOWNSTREAM_PEER_URI_SAN%",
  sni: "%REQUESTED_SERVER_NAME%",
  method: "%REQ(:METHOD)%",
  authority: "%REQ(:AUTHORITY)%",
  path: "%PATH(NQ)%",
  code: "%RESPONSE_CODE%",
  details: "%RESPONSE_CODE_DETAILS%",
  flags: "%RESPONSE_FLAGS%",
  request: "%REQ(X-REQUEST-ID)%",
  upstream: "%UPSTREAM_HOST%",
  cluster: "%UPSTREAM_CLUSTER%",
  received: "%BYTES_RECEIVED%",
  sent: "%BYTES_SENT%",
  milliseconds: "%DURATION%",
  decision: decided("decision_id"),
  effect: decided("effect"),
  reason: decided("reason"),
  rules: decided("rules"),
  connection_decision: decidedOnConnection("decision_id"),
  connection_reason: decidedOnConnection("reason"),
  connection_rules: decidedOnConnection("rules"),
};

import type { PolicySet } from "../../policy/model.ts";
import type { FileDraft, GenerateOptions } from "../draft.ts";
import { filterCluster, resolveFilter } from "../envoy-parts/filter-code.ts";
import {
  BUNDLES,
  REPORT_WHILE_OPEN,
  reportDecisions,
  type SeatClusters,
  type SeatFilter,
  seatFilters,
} from "../envoy-parts/seat.ts";
import { extension } from "../envoy-parts/typed.ts";
import { type GatewayListener, listenerName } from "../listeners.ts";
import { authorizerHost } from "./objects.ts";
import { envoyFilter, httpFilter, networkFilter } from "./patches.ts";

/** Roots as Istio's proxy image has them. */
const ROOTS = "/etc/ssl/certs/ca-certificates.crt";

/** Istio's question to the authorizer of a CUSTOM policy. */
const QUESTION = "envoy.filters.http.ext_authz";

/** After everything that finds its place by the filter whose place this one takes. */
const PRIORITY = 20;

/**
 * The filter in the place of Istio's ext_authz, an EnvoyFilter for each listener: one or the other decides, and where a patch does not apply the
 * authorizer is asked. Beside it, where it gets policies, and how its decisions come on record. Null where requests are asked about.
 */
export function seatFile(
  set: PolicySet,
  listeners: readonly GatewayListener[],
  options: GenerateOptions,
): FileDraft | null {
  const { name, namespace, selector, authorizer, seat, clusterDomain, trustDomains, at } = set.gateway;
  const requests = listeners.filter(({ kind }) => kind === "http" || kind === "grpc");
  if (seat === "server" || options.native || authorizer === null || requests.length === 0) return null;
  const filter = resolveFilter(set.gateway.filter, options);
  const { publicKeys } = set.gateway;
  const host = authorizerHost(authorizer.service, clusterDomain);
  const clusters: SeatClusters = { bundles: BUNDLES, authorizer: `outbound|${authorizer.port}||${host}` };
  const [account = "", home = ""] = authorizer.service.split(".");
  const fetched = filterCluster(filter, ROOTS);
  const added = [
    addCluster(bundlesCluster(host, authorizer.port, `spiffe://${trustDomains[0]}/ns/${home}/sa/${account}`)),
    ...(fetched === null ? [] : [addCluster(fetched)]),
  ];
  return {
    path: "seat.yaml",
    purpose:
      "Requests are decided in the gateway's Envoy, by the filter in the place where Istio has it ask the authorizer.",
    sources: [at.file],
    inputs: { name, namespace, selector, authorizer, clusterDomain, trustDomains, filter, publicKeys, requests },
    documents: [
      envoyFilter(set, "seat", added, PRIORITY),
      ...requests.map((listener) =>
        envoyFilter(
          set,
          `seat-${listenerName(listener)}`,
          seatPatches({ filter, publicKeys }, clusters, listener),
          PRIORITY,
        ),
      ),
    ],
  };
}

function seatPatches(
  filter: SeatFilter,
  clusters: SeatClusters,
  { port, dialled }: GatewayListener,
): readonly object[] {
  const [names, decide] = seatFilters(filter, clusters, dialled);
  return [
    httpFilter(QUESTION, "INSERT_BEFORE", names, port),
    httpFilter(QUESTION, "REPLACE", decide, port),
    networkFilter(
      "envoy.filters.network.http_connection_manager",
      "extensions.filters.network.http_connection_manager.v3.HttpConnectionManager",
      { access_log: [reportDecisions(clusters)], access_log_options: REPORT_WHILE_OPEN },
      { portNumber: port },
    ),
  ];
}

function addCluster(value: object): object {
  return { applyTo: "CLUSTER", match: { context: "GATEWAY" }, patch: { operation: "ADD", value } };
}

/** The authorizer over HTTP/1.1, by the gateway's own identity, and only a server with the authorizer's. */
function bundlesCluster(host: string, port: number, spiffeId: string): object {
  const address = { socket_address: { address: host, port_value: port } };
  return {
    name: BUNDLES,
    type: "STRICT_DNS",
    connect_timeout: "1s",
    load_assignment: { cluster_name: BUNDLES, endpoints: [{ lb_endpoints: [{ endpoint: { address } }] }] },
    transport_socket: extension("tls", "extensions.transport_sockets.tls.v3.UpstreamTlsContext", {
      common_tls_context: {
        alpn_protocols: ["http/1.1"],
        tls_params: { tls_minimum_protocol_version: "TLSv1_2" },
        tls_certificate_sds_secret_configs: [fromAgent("default")],
        combined_validation_context: {
          default_validation_context: {
            match_typed_subject_alt_names: [{ san_type: "URI", matcher: { exact: spiffeId } }],
          },
          validation_context_sds_secret_config: fromAgent("ROOTCA"),
        },
      },
    }),
  };
}

/** A secret of Istio's agent beside the proxy. */
function fromAgent(name: string): object {
  return {
    name,
    sds_config: {
      api_config_source: {
        api_type: "GRPC",
        transport_api_version: "V3",
        set_node_on_first_message_only: true,
        grpc_services: [{ envoy_grpc: { cluster_name: "sds-grpc" } }],
      },
      initial_fetch_timeout: "0s",
      resource_api_version: "V3",
    },
  };
}

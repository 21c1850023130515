import type { Authorizer, PolicySet } from "../../policy/model.ts";
import { type FilterCode, filterCluster } from "../envoy-parts/filter-code.ts";
import { BUNDLES, decideHere, REPORT_WHILE_OPEN, reportDecisions, type SeatClusters } from "../envoy-parts/seat.ts";
import { extension } from "../envoy-parts/typed.ts";
import type { GatewayListener } from "../listeners.ts";
import { authorizerHost } from "./objects.ts";
import { httpFilter, networkFilter } from "./patches.ts";

/** Roots as Istio's proxy image has them. */
const ROOTS = "/etc/ssl/certs/ca-certificates.crt";
const MANAGER = "envoy.filters.network.http_connection_manager";

/**
 * The filter in the place of Istio's ext_authz, listener by listener: one or the other decides, and where the patch does not apply the
 * authorizer is asked. Beside it, where it gets policies, and how its decisions come on record.
 */
export function seatPatches(
  { gateway }: PolicySet,
  authorizer: Authorizer,
  filter: FilterCode,
  requests: readonly GatewayListener[],
): readonly object[] {
  const { clusterDomain, trustDomains } = gateway;
  const host = authorizerHost(authorizer.service, clusterDomain);
  const clusters: SeatClusters = { bundles: BUNDLES, authorizer: `outbound|${authorizer.port}||${host}` };
  const [name = "", namespace = ""] = authorizer.service.split(".");
  const spiffeId = `spiffe://${trustDomains[0]}/ns/${namespace}/sa/${name}`;
  const fetched = filterCluster(filter, ROOTS);
  return [
    addCluster(bundlesCluster(host, authorizer.port, spiffeId)),
    ...(fetched === null ? [] : [addCluster(fetched)]),
    ...requests.flatMap(({ port, dialled }) => [
      httpFilter("envoy.filters.http.ext_authz", "REPLACE", decideHere(filter, clusters, dialled), port),
      networkFilter(
        MANAGER,
        "extensions.filters.network.http_connection_manager.v3.HttpConnectionManager",
        { access_log: [reportDecisions(clusters)], access_log_options: REPORT_WHILE_OPEN },
        { portNumber: port },
      ),
    ]),
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

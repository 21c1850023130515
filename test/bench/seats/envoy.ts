import { requestAuthorization } from "../../../src/generate/envoy/authorization.ts";
import { SEAT_CLUSTERS } from "../../../src/generate/envoy/clusters.ts";
import { decideHere, REPORT_WHILE_OPEN, reportDecisions } from "../../../src/generate/envoy-parts/seat.ts";
import { extension, typed } from "../../../src/generate/envoy-parts/typed.ts";
import type { Way } from "./data.ts";

/** What an Envoy of the benchmark needs to know. */
export interface EnvoyParts {
  readonly way: Way;
  readonly port: number;
  /** Files. */
  readonly certificate: string;
  readonly key: string;
  readonly ca: string;
  readonly adminSocket: string;
  readonly filter: string;
  readonly rbac: object;
  /** Where the authorizer listens: a port, or the path of a socket. */
  readonly authorizer: number | string;
  readonly bundlePort: number;
}

/** One listener behind mTLS that answers whatever is allowed itself: all ways differ in one filter. */
export function envoyOf(parts: EnvoyParts): object {
  const { way, port, certificate, key, ca } = parts;
  const isSeat = way === "gateway";
  const router = extension("envoy.filters.http.router", "extensions.filters.http.router.v3.Router", {});
  const manager = {
    stat_prefix: way,
    normalize_path: false,
    route_config: {
      virtual_hosts: [
        {
          name: "all",
          domains: ["*"],
          routes: [
            {
              match: { prefix: "/" },
              direct_response: { status: 200, body: { inline_string: "ok\n" } },
              ...(isAsking(way) ? { typed_per_filter_config: portOf80() } : {}),
            },
          ],
        },
      ],
    },
    ...(isSeat ? { access_log: [reportDecisions(SEAT_CLUSTERS)], access_log_options: REPORT_WHILE_OPEN } : {}),
    http_filters: [...filters(parts), router],
  };
  const tls = extension("tls", "extensions.transport_sockets.tls.v3.DownstreamTlsContext", {
    require_client_certificate: true,
    common_tls_context: {
      tls_certificates: [{ certificate_chain: { filename: certificate }, private_key: { filename: key } }],
      validation_context: { trusted_ca: { filename: ca } },
    },
  });
  const http = "extensions.filters.network.http_connection_manager.v3.HttpConnectionManager";
  return {
    admin: { address: { pipe: { path: parts.adminSocket } } },
    static_resources: {
      listeners: [
        {
          address: socketAddress(port),
          filter_chains: [{ transport_socket: tls, filters: [extension("http", http, manager)] }],
        },
      ],
      clusters: clusters(parts),
    },
  };
}

function isAsking(way: Way): boolean {
  return way === "server-tcp" || way === "server-unix" || way === "grpc-go";
}

function filters({ way, rbac, filter }: EnvoyParts): readonly object[] {
  if (way === "none") return [];
  if (way === "rbac") {
    return [extension("envoy.filters.http.rbac", "extensions.filters.http.rbac.v3.RBAC", { rules: rbac })];
  }
  if (way === "gateway") return [decideHere({ kind: "file", path: filter }, SEAT_CLUSTERS, 80)];
  const authorizer = { address: "", port: 0, timeoutMs: 5_000, failOpen: false, spiffeId: "" };
  return [requestAuthorization({ authorizer })];
}

function portOf80(): object {
  const check_settings = { context_extensions: { "sallyport.port": "80" } };
  return {
    "envoy.filters.http.ext_authz": typed("extensions.filters.http.ext_authz.v3.ExtAuthzPerRoute", { check_settings }),
  };
}

function clusters({ way, authorizer, bundlePort }: EnvoyParts): readonly object[] {
  if (way === "none" || way === "rbac") return [];
  const address = typeof authorizer === "string" ? { pipe: { path: authorizer } } : socketAddress(authorizer);
  const http2 = { explicit_http_config: { http2_protocol_options: {} } };
  const protocol = "extensions.upstreams.http.v3.HttpProtocolOptions";
  return [
    {
      ...cluster(SEAT_CLUSTERS.authorizer, address),
      typed_extension_protocol_options: { [`envoy.${protocol}`]: typed(protocol, http2) },
    },
    ...(way === "gateway" ? [cluster(SEAT_CLUSTERS.bundles, socketAddress(bundlePort))] : []),
  ];
}

function cluster(name: string, address: object): object {
  const endpoints = [{ lb_endpoints: [{ endpoint: { address } }] }];
  return { name, type: "STATIC", load_assignment: { cluster_name: name, endpoints } };
}

function socketAddress(port_value: number): object {
  return { socket_address: { address: "127.0.0.1", port_value } };
}

import { SEAT_CLUSTERS } from "../../../src/generate/envoy/clusters.ts";
import { seatFilters } from "../../../src/generate/envoy-parts/seat.ts";
import { extension, typed } from "../../../src/generate/envoy-parts/typed.ts";

/** What the configuration is made of: ports of loopback, files of certificates. */
export interface FilterConfig {
  readonly filter: string;
  readonly bundlePort: number;
  readonly checkPort: number;
  /** Where it listens for each text of `sallyport.port`: to be decided by the filter, and to be asked about. */
  readonly ports: readonly { readonly text: string; readonly decided: number; readonly asked: number }[];
  readonly certificate: string;
  readonly key: string;
  readonly ca: string;
  readonly adminSocket: string;
}

/** The header of an answer that carries what the filter tells. */
export const TOLD = "x-told";

/** An Envoy that answers 200 to whatever is allowed, with the filter in one half of its listeners and ext_authz in the other. */
export function filterConfig(config: FilterConfig): object {
  const cluster = (name: string, port: number, h2: boolean) => ({
    name,
    type: "STATIC",
    load_assignment: {
      cluster_name: name,
      endpoints: [{ lb_endpoints: [{ endpoint: { address: socketAddress(port) } }] }],
    },
    ...(h2 ? { http2_protocol_options: {} } : {}),
  });
  return {
    admin: { address: { pipe: { path: config.adminSocket } } },
    static_resources: {
      listeners: config.ports.flatMap(({ text, decided, asked }) => [
        listener(config, decided, decidingFilters(config, text), {}),
        listener(config, asked, [askingFilter()], {
          "envoy.filters.http.ext_authz": typed("extensions.filters.http.ext_authz.v3.ExtAuthzPerRoute", {
            check_settings: { context_extensions: { "sallyport.port": text } },
          }),
        }),
      ]),
      clusters: [cluster("sallyport-bundles", config.bundlePort, false), cluster("sallyport", config.checkPort, true)],
    },
  };
}

/** As generated, but for the port's text and a shorter time between polls. */
function decidingFilters({ filter }: FilterConfig, text: string): readonly object[] {
  const [names, decide] = seatFilters({ filter: { kind: "file", path: filter }, publicKeys: [] }, SEAT_CLUSTERS, 0);
  const made = structuredClone(decide) as {
    typed_config: { config: { root_id: string; configuration: { value: string } } };
  };
  made.typed_config.config.root_id = text;
  made.typed_config.config.configuration.value += "poll=20\n";
  return [names, made];
}

function askingFilter(): object {
  return extension("envoy.filters.http.ext_authz", "extensions.filters.http.ext_authz.v3.ExtAuthz", {
    transport_api_version: "V3",
    encode_raw_headers: true,
    include_peer_certificate: true,
    grpc_service: { timeout: "5s", envoy_grpc: { cluster_name: "sallyport" } },
  });
}

function listener(config: FilterConfig, port: number, filters: readonly object[], perRoute: object): object {
  const answer = { direct_response: { status: 200 }, typed_per_filter_config: perRoute };
  const manager = {
    stat_prefix: "test",
    normalize_path: false,
    upgrade_configs: ["websocket", "h2c", "spdy", "CONNECT"].map((upgrade_type) => ({ upgrade_type })),
    local_reply_config: {
      mappers: [
        {
          filter: {
            status_code_filter: { comparison: { op: "GE", value: { default_value: 100, runtime_key: "none" } } },
          },
          headers_to_add: [{ header: { key: TOLD, value: "%FILTER_STATE(wasm.sallyport.decision:PLAIN)%" } }],
        },
      ],
    },
    route_config: {
      virtual_hosts: [
        {
          name: "all",
          domains: ["*"],
          routes: [
            { match: { connect_matcher: {} }, ...answer },
            { match: { prefix: "" }, ...answer },
          ],
        },
      ],
    },
    http_filters: [...filters, extension("envoy.filters.http.router", "extensions.filters.http.router.v3.Router", {})],
  };
  const { certificate, key, ca } = config;
  const tls = extension("tls", "extensions.transport_sockets.tls.v3.DownstreamTlsContext", {
    common_tls_context: {
      tls_certificates: [{ certificate_chain: { filename: certificate }, private_key: { filename: key } }],
      validation_context: { trusted_ca: { filename: ca } },
    },
  });
  return {
    address: socketAddress(port),
    filter_chains: [
      {
        transport_socket: tls,
        filters: [
          extension("http", "extensions.filters.network.http_connection_manager.v3.HttpConnectionManager", manager),
        ],
      },
    ],
  };
}

function socketAddress(port_value: number): object {
  return { socket_address: { address: "127.0.0.1", port_value } };
}

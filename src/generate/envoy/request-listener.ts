import { type GatewayListener, listenerName } from "../listeners.ts";
import { accessLog } from "./access-log.ts";
import type { Outlets } from "./outlets.ts";
import { requestFilters } from "./request-filters.ts";
import { virtualHosts } from "./routes.ts";
import type { EnvoySettings } from "./settings.ts";
import { downstreamTls } from "./tls.ts";
import { extension } from "./typed.ts";

/** Revocation ends nothing that is under way, so everything ends by itself. */
export const LIFETIME = "3600s";

/** Takes what workloads send to one HTTP or gRPC port, over mTLS. */
export function requestListener(
  settings: EnvoySettings,
  outlets: Outlets,
  listener: GatewayListener,
  upgrades: readonly string[],
  trustDomains: readonly string[],
): object {
  const name = listenerName(listener);
  return {
    name,
    address: { socket_address: { address: settings.listenAddress, port_value: settings.portOf(listener) } },
    per_connection_buffer_limit_bytes: 1_048_576,
    filter_chains: [
      {
        transport_socket: downstreamTls(settings, trustDomains, ["h2", "http/1.1"]),
        filters: [
          connectionManager(name, {
            access_log: [accessLog(settings.accessLog, "http")],
            upgrade_configs: [...upgrades, "CONNECT"].map((upgrade_type) => ({ upgrade_type })),
            route_config: {
              name,
              ignore_port_in_host_matching: true,
              virtual_hosts: virtualHosts(settings, outlets, outlets.at(listener), listener.dialled),
            },
            http_filters: requestFilters(settings),
          }),
        ],
      },
    ],
  };
}

/** What holds for each listener of requests. */
export function connectionManager(name: string, fields: object): object {
  return extension("http", "extensions.filters.network.http_connection_manager.v3.HttpConnectionManager", {
    stat_prefix: name,
    // Nothing of the caller's certificate leaves the mesh.
    forward_client_cert_details: "SANITIZE",
    // Paths go on as they came: what was decided is what is forwarded, and ambiguous ones are refused by path rules.
    normalize_path: false,
    strip_trailing_host_dot: true,
    http2_protocol_options: { max_concurrent_streams: 100 },
    common_http_protocol_options: {
      max_connection_duration: LIFETIME,
      max_stream_duration: LIFETIME,
      idle_timeout: "600s",
    },
    request_headers_timeout: "10s",
    ...fields,
  });
}

import { REPORT_WHILE_OPEN, reportDecisions } from "../envoy-parts/seat.ts";
import { type GatewayListener, listenerName } from "../listeners.ts";
import { accessLog, onceAtTheEnd } from "./access-log.ts";
import { SEAT_CLUSTERS } from "./clusters.ts";
import { connectionManager } from "./connection-manager.ts";
import type { Outlets } from "./outlets.ts";
import { requestFilters } from "./request-filters.ts";
import { virtualHosts } from "./routes.ts";
import type { EnvoySettings } from "./settings.ts";
import { downstreamTls } from "./tls.ts";

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
            ...accessLogs(settings),
            upgrade_configs: [...upgrades, "CONNECT"].map((upgrade_type) => ({ upgrade_type })),
            route_config: {
              name,
              ignore_port_in_host_matching: true,
              // What the workload's sidecar says of it is the mesh's business.
              request_headers_to_remove: ["x-envoy-peer-metadata", "x-envoy-peer-metadata-id"],
              virtual_hosts: virtualHosts(outlets, outlets.at(listener), listener.dialled),
            },
            http_filters: requestFilters(settings, listener.dialled),
          }),
        ],
      },
    ],
  };
}

function accessLogs({ accessLog: path, seat }: EnvoySettings): object {
  if (seat === null) return { access_log: [accessLog(path, "http")] };
  return {
    access_log: [{ ...accessLog(path, "seat"), ...onceAtTheEnd() }, reportDecisions(SEAT_CLUSTERS)],
    access_log_options: REPORT_WHILE_OPEN,
  };
}

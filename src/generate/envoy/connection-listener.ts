import { forwarder } from "../envoy-parts/forwarder.ts";
import { tlsInspector } from "../envoy-parts/tls-inspector.ts";
import { type GatewayListener, listenerName, outerSni } from "../listeners.ts";
import { hostCidr } from "../public-addresses.ts";
import { accessLog } from "./access-log.ts";
import { connectionAuthorization, type Named } from "./authorization.ts";
import { namingName } from "./dialler-name.ts";
import { clusterName, type Outlet } from "./outlet.ts";
import type { Outlets } from "./outlets.ts";
import { carriedSni } from "./same-sni.ts";
import type { EnvoySettings } from "./settings.ts";
import { downstreamTls } from "./tls.ts";

/** A cluster that leads nowhere, for names that no service registers. */
export const NOWHERE = "nowhere";

/**
 * Takes the application's own TLS, or other bytes, from one dialled port: carried inside mTLS, so that the workload is
 * known, and told apart by the name that the client says outside. Nothing is dialled before the decision.
 */
export function connectionListener(
  settings: EnvoySettings,
  outlets: Outlets,
  listener: GatewayListener,
  trustDomains: readonly string[],
): object {
  const name = listenerName(listener);
  const transport_socket = downstreamTls(settings, trustDomains, []);
  const chains = outlets.at(listener).map((outlet) => {
    const sni = outerSni(outlet.kind, outlet.dialled, outlet.host);
    return {
      name: sni,
      filter_chain_match: { server_names: [sni] },
      transport_socket,
      filters: connectionFilters(settings, sni, named(outlet), wayIn(outlet)),
    };
  });
  // Asked about by its SNI, so that the refusal has its record.
  const unknown = connectionFilters(settings, `${name}-unregistered`, { host: null, port: listener.dialled }, NOWHERE);
  return {
    name,
    address: { socket_address: { address: settings.listenAddress, port_value: settings.portOf(listener) } },
    per_connection_buffer_limit_bytes: 1_048_576,
    listener_filters: [tlsInspector()],
    filter_chains: [...chains, { name: "unregistered", transport_socket, filters: unknown }],
  };
}

function named({ kind, host, dialled }: Outlet): Named {
  return { host: kind === "tcp" ? host : null, port: dialled };
}

function wayIn(outlet: Outlet): string {
  return hostCidr(outlet.host) === null ? namingName(outlet) : clusterName(outlet);
}

function connectionFilters(settings: EnvoySettings, name: string, what: Named, cluster: string): readonly object[] {
  return [
    connectionAuthorization(settings, name, what),
    ...(what.host === null ? [carriedSni()] : []),
    forwarder(name, cluster, { access_log: [accessLog(settings.accessLog, "network")] }),
  ];
}

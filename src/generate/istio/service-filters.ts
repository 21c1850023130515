import type { ExternalService, PolicySet } from "../../policy/model.ts";
import { routeValues, setApart } from "../envoy-parts/filter-state.ts";
import { forwarder } from "../envoy-parts/forwarder.ts";
import { tlsInspector } from "../envoy-parts/tls-inspector.ts";
import { typed } from "../envoy-parts/typed.ts";
import { listenerName } from "../listeners.ts";
import { objectName } from "../services.ts";
import { connectionAuthorization } from "./envoy-filters.ts";
import { isRequest, type Leg, requestSubset } from "./leg.ts";
import type { IstioObject } from "./objects.ts";
import { envoyFilter, networkFilter } from "./patches.ts";

/** What Istio's API has no word for, for one service. */
export function serviceFilters(
  set: PolicySet,
  service: ExternalService,
  legs: readonly Leg[],
  native: boolean,
): readonly IstioObject[] {
  const patches = [
    ...(native ? [] : legs.filter(({ kind }) => kind === "tcp").flatMap((leg) => tellHost(set, leg))),
    ...legs.filter(({ kind }) => kind === "tls").flatMap(sameSni),
    ...(service.tls?.minVersion === "TLSV1_3" ? legs.filter(isRequest).map(newestTls) : []),
    ...(service.connections?.share === "workload" ? legs.filter(isRequest).map(ownConnections) : []),
  ];
  return patches.length === 0 ? [] : [envoyFilter(set, objectName(service), patches)];
}

/** For TCP no client names the host, so the chain does. */
function tellHost(set: PolicySet, { listener, sni, host }: Leg): readonly object[] {
  const metadata = [
    { key: "sallyport-host", value: host },
    { key: "sallyport-port", value: `${listener.dialled}` },
  ];
  return connectionAuthorization(set, metadata, { portNumber: listener.port, sni });
}

/** The application's own TLS goes through a listener inside the gateway that takes no name but the one that was authorised. */
function sameSni({ listener, sni, meshHost }: Leg): readonly object[] {
  const name = `sallyport-${listenerName(listener)}-${meshHost}`;
  const inner = {
    name,
    internal_listener: {},
    listener_filters: [tlsInspector()],
    filter_chains: [
      {
        filter_chain_match: { server_names: [meshHost] },
        filters: [forwarder(name, `outbound|${listener.dialled}||${meshHost}`, {})],
      },
    ],
  };
  const endpoint = { address: { envoy_internal_address: { server_listener_name: name } } };
  const cluster = {
    name,
    type: "STATIC",
    connect_timeout: "1s",
    load_assignment: { cluster_name: name, endpoints: [{ lb_endpoints: [{ endpoint }] }] },
  };
  return [
    { applyTo: "LISTENER", match: { context: "GATEWAY" }, patch: { operation: "ADD", value: inner } },
    { applyTo: "CLUSTER", match: { context: "GATEWAY" }, patch: { operation: "ADD", value: cluster } },
    networkFilter(
      "envoy.filters.network.tcp_proxy",
      "extensions.filters.network.tcp_proxy.v3.TcpProxy",
      { cluster: name },
      { portNumber: listener.port, sni },
    ),
  ];
}

/** A DestinationRule cannot say the lowest version of TLS. */
function newestTls({ service, meshHost, listener }: Leg): object {
  const context = typed("extensions.transport_sockets.tls.v3.UpstreamTlsContext", {
    common_tls_context: {
      tls_params: { tls_minimum_protocol_version: "TLSv1_3", tls_maximum_protocol_version: "TLSv1_3" },
    },
  });
  return {
    applyTo: "CLUSTER",
    match: {
      context: "GATEWAY",
      cluster: { service: meshHost, portNumber: listener.dialled, subset: requestSubset(service) },
    },
    patch: {
      operation: "MERGE",
      value: { transport_socket: { name: "envoy.transport_sockets.tls", typed_config: context } },
    },
  };
}

/** Makes who asks part of what tells upstream connections apart. */
function ownConnections({ meshHost, listener }: Leg): object {
  const vhost = { name: `${meshHost}:${listener.port}` };
  const values = routeValues([setApart("sallyport.workload", "%DOWNSTREAM_PEER_URI_SAN%")]);
  return {
    applyTo: "HTTP_ROUTE",
    match: { context: "GATEWAY", routeConfiguration: { portNumber: listener.port, vhost } },
    patch: { operation: "MERGE", value: { typed_per_filter_config: values } },
  };
}

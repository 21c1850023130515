import { AUTHORIZER_LIMITS } from "../authorizer-limits.ts";
import { BUNDLES } from "../envoy-parts/seat.ts";
import { extension, typed } from "../envoy-parts/typed.ts";
import { hostCidr } from "../public-addresses.ts";
import { isWildcard } from "../services.ts";
import { namingName } from "./dialler-name.ts";
import { dnsCache } from "./dns.ts";
import { clusterName, type Outlet } from "./outlet.ts";
import type { EnvoySettings, GatewaySeat } from "./settings.ts";
import { authorizerTls, internalTransport, outsideTls } from "./tls.ts";

/** The name of the cluster that dials. */
export const OUTSIDE = "outside";

/** The name of the authorizer's cluster. */
export const AUTHORIZER = "sallyport";

/** What the gateway seat knows them by. */
export const SEAT_CLUSTERS = { bundles: BUNDLES, authorizer: AUTHORIZER } as const;

/** Where policies come from: the authorizer over mTLS, unless something else on this machine stands in for it. */
export function bundlesCluster(settings: EnvoySettings, { standIn }: GatewaySeat, trustDomain: string): object {
  const { address, port } = standIn ?? settings.authorizer;
  return {
    name: BUNDLES,
    type: addressType(address),
    connect_timeout: "1s",
    load_assignment: endpoint(BUNDLES, address, port),
    ...(standIn === null ? { transport_socket: authorizerTls(settings, trustDomain, "http/1.1") } : {}),
  };
}

function addressType(address: string): string {
  return /^[\d.]+$|:/.test(address) ? "STATIC" : "STRICT_DNS";
}

function protocolOptions(fields: object): object {
  const name = "envoy.extensions.upstreams.http.v3.HttpProtocolOptions";
  return {
    typed_extension_protocol_options: { [name]: typed("extensions.upstreams.http.v3.HttpProtocolOptions", fields) },
  };
}

function endpoint(cluster: string, address: string, port: number): object {
  const socket = { socket_address: { address, port_value: port } };
  return { cluster_name: cluster, endpoints: [{ lb_endpoints: [{ endpoint: { address: socket } }] }] };
}

/**
 * The authorizer: HTTP/2 over mTLS. What it does not answer is refused, so a lost connection must show soon. What it cannot take on yet waits here, as many as are answered before a Check times
 * out; the others are refused here, at no cost to it.
 */
export function authorizerCluster(settings: EnvoySettings, trustDomain: string): object {
  const { address, port } = settings.authorizer;
  return {
    name: AUTHORIZER,
    type: addressType(address),
    connect_timeout: "1s",
    load_assignment: endpoint(AUTHORIZER, address, port),
    ...protocolOptions({
      explicit_http_config: {
        http2_protocol_options: {
          connection_keepalive: { interval: "10s", timeout: "2s" },
          max_concurrent_streams: AUTHORIZER_LIMITS.streams,
        },
      },
    }),
    circuit_breakers: {
      thresholds: [
        {
          max_connections: AUTHORIZER_LIMITS.connections,
          max_pending_requests: AUTHORIZER_LIMITS.waiting,
          max_requests: AUTHORIZER_LIMITS.requests,
          max_retries: 100,
        },
      ],
    },
    transport_socket: authorizerTls(settings, trustDomain, "h2"),
  };
}

/** Where requests to one host go: one pool of connections that all workloads share, or one for each of them. */
export function requestCluster(settings: EnvoySettings, outlet: Outlet, upgrades: boolean): object {
  const { service, host, kind, tls } = outlet;
  const name = clusterName(outlet, upgrades);
  const { connections } = service;
  const http = kind === "grpc" ? { http2_protocol_options: {} } : { http_protocol_options: {} };
  // Bytes of an upgraded connection are nobody's requests: no request may follow on it.
  const requests = upgrades ? 1 : (connections?.maxRequestsPerConnection ?? 0);
  const common = {
    ...(requests === 0 ? {} : { max_requests_per_connection: requests }),
    ...(connections === null ? {} : { idle_timeout: `${connections.idleTimeoutMs / 1000}s` }),
  };
  const fromRequest =
    tls !== null && isWildcard(host) ? { auto_sni: true, auto_san_validation: tls.subjectAltNames.length === 0 } : {};
  return {
    name,
    // Time for the name, the address and the handshake.
    connect_timeout: "10s",
    ...whereTo(settings, outlet, name),
    ...protocolOptions({
      common_http_protocol_options: common,
      upstream_http_protocol_options: fromRequest,
      explicit_http_config: http,
    }),
    ...(tls === null
      ? {}
      : { transport_socket: outsideTls(settings, outlet, tls, kind === "grpc" ? "h2" : "http/1.1") }),
  };
}

/** The one place where this gateway dials names. */
export function outsideCluster(settings: EnvoySettings): object {
  return {
    name: OUTSIDE,
    connect_timeout: "5s",
    lb_policy: "CLUSTER_PROVIDED",
    cluster_type: extension(
      "envoy.clusters.dynamic_forward_proxy",
      "extensions.clusters.dynamic_forward_proxy.v3.ClusterConfig",
      // TLS is made before bytes come here.
      { dns_cache_config: dnsCache(settings), allow_insecure_cluster_options: true },
    ),
  };
}

/** Bytes to a host that is an address: there is nothing to look up. */
export function addressCluster(settings: EnvoySettings, outlet: Outlet): object {
  return { name: clusterName(outlet), connect_timeout: "5s", ...fixed(settings, outlet) };
}

/** By way of the dialler; or to the address that the policies name. */
function whereTo(settings: EnvoySettings, outlet: Outlet, name: string): object {
  if (hostCidr(outlet.host) !== null) return fixed(settings, outlet);
  return { type: "STATIC", load_assignment: inside(name, namingName(outlet)) };
}

function fixed(settings: EnvoySettings, outlet: Outlet): object {
  const address = settings.standIn?.address ?? outlet.host.replace(/[[\]]/g, "");
  return { type: "STATIC", load_assignment: endpoint(clusterName(outlet), address, dialledPort(settings, outlet)) };
}

function inside(cluster: string, listener: string): object {
  const endpoint = { address: { envoy_internal_address: { server_listener_name: listener } } };
  return { cluster_name: cluster, endpoints: [{ lb_endpoints: [{ endpoint }] }] };
}

/** The port that is dialled: the outlet's, or the stand-in's for it. */
export function dialledPort({ standIn }: EnvoySettings, { kind, tls, port }: Outlet): number {
  if (standIn === null) return port;
  if (tls !== null || kind === "tls") return standIn.tlsPort;
  if (kind === "tcp") return standIn.plainPort;
  return kind === "grpc" ? standIn.clearHttp2Port : standIn.clearPort;
}

/** A listener inside this Envoy, as a place to send bytes to. */
export function internalCluster(listener: string): object {
  return {
    name: listener,
    type: "STATIC",
    connect_timeout: "1s",
    load_assignment: inside(listener, listener),
    transport_socket: internalTransport(),
  };
}

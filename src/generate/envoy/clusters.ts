import { hostCidr } from "../public-addresses.ts";
import { isWildcard } from "../services.ts";
import { dnsCache } from "./dns.ts";
import { BYTES, clusterName, type Outlet } from "./outlet.ts";
import type { EnvoySettings } from "./settings.ts";
import { authorizerTls, internalTransport, outsideTls } from "./tls.ts";
import { extension, typed } from "./typed.ts";

/** The name of the authorizer's cluster. */
export const AUTHORIZER = "sallyport";

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

/** The authorizer: HTTP/2 over mTLS. What it does not answer is refused, so a lost connection must show soon. */
export function authorizerCluster(settings: EnvoySettings, trustDomain: string): object {
  const { address, port } = settings.authorizer;
  return {
    name: AUTHORIZER,
    type: /^[\d.]+$|:/.test(address) ? "STATIC" : "STRICT_DNS",
    connect_timeout: "1s",
    load_assignment: endpoint(AUTHORIZER, address, port),
    ...protocolOptions({
      explicit_http_config: {
        http2_protocol_options: {
          connection_keepalive: { interval: "10s", timeout: "2s" },
          max_concurrent_streams: 1_000,
        },
      },
    }),
    circuit_breakers: { thresholds: [{ max_requests: 10_000, max_pending_requests: 10_000, max_retries: 100 }] },
    transport_socket: authorizerTls(settings, trustDomain),
  };
}

/** Where requests to one host go: one pool of connections that all workloads share, or one for each of them. */
export function requestCluster(settings: EnvoySettings, outlet: Outlet, upgrades: boolean): object {
  const { service, host, kind, tls } = outlet;
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
    name: clusterName(outlet, upgrades),
    ...(hostCidr(host) === null ? lookedUp(settings) : fixed(settings, outlet)),
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

/** Where bytes go that the gateway leaves as they are: to whatever was looked up and checked for them. */
export function bytesCluster(settings: EnvoySettings): object {
  return { name: BYTES, ...lookedUp(settings) };
}

/** The same for a host that is an address: there is nothing to look up. */
export function addressCluster(settings: EnvoySettings, outlet: Outlet): object {
  return { name: clusterName(outlet), ...fixed(settings, outlet) };
}

function lookedUp(settings: EnvoySettings): object {
  const fields = { dns_cache_config: dnsCache(settings), allow_insecure_cluster_options: true };
  return {
    connect_timeout: "5s",
    lb_policy: "CLUSTER_PROVIDED",
    cluster_type: extension(
      "envoy.clusters.dynamic_forward_proxy",
      "extensions.clusters.dynamic_forward_proxy.v3.ClusterConfig",
      fields,
    ),
  };
}

function fixed(settings: EnvoySettings, outlet: Outlet): object {
  const address = settings.standIn?.address ?? outlet.host.replace(/[[\]]/g, "");
  const load_assignment = endpoint(clusterName(outlet), address, dialledPort(settings, outlet));
  return { connect_timeout: "5s", type: "STATIC", load_assignment };
}

/** The port that is dialled: the outlet's, or the stand-in's for it. */
export function dialledPort({ standIn }: EnvoySettings, { kind, tls, port }: Outlet): number {
  if (standIn === null) return port;
  return tls !== null || kind === "tls" ? standIn.tlsPort : standIn.plainPort;
}

/** A listener inside this Envoy, as a place to send to. */
export function internalCluster(listener: string): object {
  const endpoint = { address: { envoy_internal_address: { server_listener_name: listener } } };
  return {
    name: listener,
    type: "STATIC",
    connect_timeout: "1s",
    load_assignment: { cluster_name: listener, endpoints: [{ lb_endpoints: [{ endpoint }] }] },
    transport_socket: internalTransport(),
  };
}

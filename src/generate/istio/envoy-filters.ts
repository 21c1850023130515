import type { PolicySet } from "../../policy/model.ts";
import { AFTER_FIRST_BYTES } from "../envoy-parts/forwarder.ts";
import { LIFETIME } from "../envoy-parts/lifetime.ts";
import { limitPerWorkload } from "../envoy-parts/limit.ts";
import { extension, typed } from "../envoy-parts/typed.ts";
import { type GatewayListener, listenerName } from "../listeners.ts";
import { authorizerHost, type IstioObject } from "./objects.ts";
import { envoyFilter, httpFilter, inChain, networkFilter } from "./patches.ts";

const HTTP_AUTHZ = "extensions.filters.http.ext_authz.v3";
const NETWORK_AUTHZ = "extensions.filters.network.ext_authz.v3.ExtAuthz";
const RETRIES = { retry_on: "connect-failure,refused-stream,unavailable", num_retries: 1 };

/** What Istio's API has no word for, on the egress gateway alone. Without an authorizer there is nobody to tell anything. */
export function gatewayFilters(
  set: PolicySet,
  listeners: readonly GatewayListener[],
  native: boolean,
): readonly IstioObject[] {
  const requests = listeners.filter(({ kind }) => kind === "http" || kind === "grpc");
  const bytes = listeners.filter(({ kind }) => kind === "tls" || kind === "tcp");
  return [
    ...(native ? [] : [envoyFilter(set, "authorization", [httpAuthorization(), perWorkload()])]),
    envoyFilter(set, "limits", [lifetime(), apart()]),
    ...(native ? [] : requests.map((listener) => envoyFilter(set, listenerName(listener), requestPort(listener)))),
    ...bytes.map((listener) => envoyFilter(set, listenerName(listener), bytesPort(set, listener, native))),
  ];
}

function httpAuthorization(): object {
  return httpFilter("envoy.filters.http.ext_authz", "MERGE", {
    typed_config: typed(`${HTTP_AUTHZ}.ExtAuthz`, {
      encode_raw_headers: true,
      include_peer_certificate: true,
      include_tls_session: true,
      validate_mutations: true,
      grpc_service: { envoy_grpc: { retry_policy: RETRIES } },
    }),
  });
}

/**
 * The whole filter in place of Istio's: of what is merged into it, Istio makes one filter for all chains, so that each would
 * tell the ports of all.
 */
export function connectionAuthorization(
  { gateway: { authorizer, clusterDomain } }: PolicySet,
  metadata: readonly { readonly key: string; readonly value: string }[],
  where: { readonly portNumber: number; readonly sni?: string },
): readonly object[] {
  if (authorizer === null) return [];
  const host = authorizerHost(authorizer.service, clusterDomain);
  const name = "envoy.filters.network.ext_authz";
  const value = extension(name, NETWORK_AUTHZ, {
    stat_prefix: "tcp.",
    transport_api_version: "V3",
    failure_mode_allow: authorizer.failOpen,
    include_peer_certificate: true,
    include_tls_session: true,
    grpc_service: {
      timeout: `${authorizer.timeoutMs / 1000}s`,
      envoy_grpc: { cluster_name: `outbound|${authorizer.port}||${host}`, authority: host, retry_policy: RETRIES },
      initial_metadata: metadata,
    },
  });
  return [{ applyTo: "NETWORK_FILTER", match: inChain(name, where), patch: { operation: "REPLACE", value } }];
}

/** Revocation ends nothing that is under way, so everything ends by itself. */
function lifetime(): object {
  return networkFilter(
    "envoy.filters.network.http_connection_manager",
    "extensions.filters.network.http_connection_manager.v3.HttpConnectionManager",
    {
      common_http_protocol_options: { max_connection_duration: LIFETIME, max_stream_duration: LIFETIME },
      strip_trailing_host_dot: true,
    },
  );
}

function perWorkload(): object {
  return httpFilter("envoy.filters.http.ext_authz", "INSERT_BEFORE", limitPerWorkload(1_000));
}

/** Where routes say what keeps their upstream connections apart. */
function apart(): object {
  const value = extension(
    "envoy.filters.http.set_filter_state",
    "extensions.filters.http.set_filter_state.v3.Config",
    {},
  );
  return httpFilter("envoy.filters.http.router", "INSERT_BEFORE", value);
}

/** The named port, by which the authorizer knows what the application dialled, on all routes of a listener. */
export function namedRoutes(portNumber: number, dialled: string): object {
  return {
    applyTo: "HTTP_ROUTE",
    match: { context: "GATEWAY", routeConfiguration: { portNumber } },
    patch: { operation: "MERGE", value: { typed_per_filter_config: named(dialled) } },
  };
}

function named(dialled: string): object {
  const check_settings = { context_extensions: { "sallyport.port": dialled } };
  return { "envoy.filters.http.ext_authz": typed(`${HTTP_AUTHZ}.ExtAuthzPerRoute`, { check_settings }) };
}

/** An answer for hosts that nobody registered, who are asked about all the same. */
export function catchAll(portNumber: number, dialled: string): object {
  const refuse = (match: object): object => ({
    match,
    direct_response: { status: 403, body: { inline_string: "no route leaves the mesh from here\n" } },
    typed_per_filter_config: named(dialled),
  });
  const routes = [refuse({ connect_matcher: {} }), refuse({ prefix: "/" })];
  return {
    applyTo: "VIRTUAL_HOST",
    match: { context: "GATEWAY", routeConfiguration: { portNumber } },
    patch: { operation: "ADD", value: { name: "unregistered", domains: ["*"], routes } },
  };
}

function requestPort({ port, dialled }: GatewayListener): readonly object[] {
  return [namedRoutes(port, `${dialled}`), catchAll(port, `${dialled}`)];
}

/** Nothing is dialled before the decision; with Istio's own setting a refused client hears the server's greeting. */
export function afterDecision(where: { readonly portNumber: number }): object {
  return networkFilter(
    "envoy.filters.network.tcp_proxy",
    "extensions.filters.network.tcp_proxy.v3.TcpProxy",
    AFTER_FIRST_BYTES,
    where,
  );
}

function bytesPort(set: PolicySet, { kind, port, dialled }: GatewayListener, native: boolean): readonly object[] {
  const metadata = [{ key: "sallyport-port", value: `${dialled}` }];
  // For TCP each chain says its host as well.
  const ask = kind === "tls" && !native ? connectionAuthorization(set, metadata, { portNumber: port }) : [];
  return [...ask, afterDecision({ portNumber: port })];
}

import { connectionManager } from "../../../src/generate/envoy/connection-manager.ts";
import { extension } from "../../../src/generate/envoy-parts/typed.ts";

/** What is answered to whoever may ask. */
export const ANSWER = { direct_response: { status: 200, body: { inline_string: "ok\n" } } };

/** An Envoy that takes HTTP/1.1 over TLS on one port of loopback and treats all requests alike. */
export interface Taking {
  readonly port: number;
  /** Transport socket of its listener. */
  readonly tls: object;
  /** Of its one route: an answer, or where to forward. */
  readonly action: object;
  /** Configuration of filters for its one route. */
  readonly perRoute?: object;
  /** Ahead of the router. */
  readonly filters?: readonly object[];
  /** Of the connection manager. */
  readonly logs?: object;
  readonly clusters?: readonly object[];
  readonly adminSocket: string;
}

/** Its whole configuration. */
export function takingRequests(taking: Taking): object {
  const { port, tls, action, perRoute = {}, filters = [], logs = {}, clusters = [], adminSocket } = taking;
  const route = { match: { prefix: "/" }, ...action, typed_per_filter_config: perRoute };
  const manager = connectionManager("requests", {
    ...logs,
    codec_type: "HTTP1",
    route_config: { name: "requests", virtual_hosts: [{ name: "all", domains: ["*"], routes: [route] }] },
    http_filters: [
      ...filters,
      extension("envoy.filters.http.router", "extensions.filters.http.router.v3.Router", {
        suppress_envoy_headers: true,
      }),
    ],
  });
  return {
    node: { id: "egress", cluster: "istio-egress" },
    admin: { address: { pipe: { path: adminSocket } } },
    // Many of these Envoys are idle while one is measured.
    stats_flush_interval: "60s",
    static_resources: {
      listeners: [
        {
          name: "requests",
          address: { socket_address: { address: "127.0.0.1", port_value: port } },
          filter_chains: [{ transport_socket: tls, filters: [manager] }],
        },
      ],
      clusters,
    },
  };
}

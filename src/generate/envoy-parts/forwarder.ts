import { LIFETIME } from "./lifetime.ts";
import { extension } from "./typed.ts";

/** Hands bytes on once there are some: a server that speaks first tells nobody anything before the decision. */
export const AFTER_FIRST_BYTES = {
  upstream_connect_mode: "ON_DOWNSTREAM_DATA",
  max_early_data_bytes: 16_384,
  max_downstream_connection_duration: LIFETIME,
} as const;

/** A TCP proxy to a cluster, after the first bytes unless `fields` say otherwise. */
export function forwarder(name: string, cluster: string, fields: object): object {
  return extension("envoy.filters.network.tcp_proxy", "extensions.filters.network.tcp_proxy.v3.TcpProxy", {
    stat_prefix: name,
    cluster,
    ...AFTER_FIRST_BYTES,
    ...fields,
  });
}

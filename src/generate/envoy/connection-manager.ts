import { LIFETIME } from "../envoy-parts/lifetime.ts";
import { extension } from "../envoy-parts/typed.ts";

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

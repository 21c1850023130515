/**
 * Envoy's runtime values that keep one client of HTTP/2 from taking the gateway from others. Requests of one connection take turns with those of other connections, one at
 * a time, instead of as many as have arrived; and who takes back most of its requests within a second of sending them is disconnected after fifteen of the first thirty.
 * @see https://www.envoyproxy.io/docs/envoy/latest/configuration/http/http_conn_man/runtime
 */
export const FLOODS = {
  layers: [
    {
      name: "floods",
      static_layer: {
        "http.max_requests_per_io_cycle": 1,
        "overload.premature_reset_total_stream_count": 30,
        "overload.premature_reset_min_stream_lifetime_seconds": 1,
      },
    },
  ],
} as const;

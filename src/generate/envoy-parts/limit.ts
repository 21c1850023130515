import { extension } from "./typed.ts";

/** One workload that floods the gateway is refused before it costs the authorizer anything, and takes nothing from the others. */
export function limitPerWorkload(requestsPerSecond: number): object {
  const always = { default_value: { numerator: 100 } };
  const bucket = (rate: number): object => ({ max_tokens: rate * 2, tokens_per_fill: rate, fill_interval: "1s" });
  const workload = extension(
    "envoy.rate_limit_descriptors.expr",
    "extensions.rate_limit_descriptors.expr.v3.Descriptor",
    {
      descriptor_key: "workload",
      text: "connection.uri_san_peer_certificate",
    },
  );
  return extension("envoy.filters.http.local_ratelimit", "extensions.filters.http.local_ratelimit.v3.LocalRateLimit", {
    stat_prefix: "per-workload",
    filter_enabled: always,
    filter_enforced: always,
    rate_limits: [{ actions: [{ extension: workload }] }],
    descriptors: [{ entries: [{ key: "workload" }], token_bucket: bucket(requestsPerSecond) }],
    max_dynamic_descriptors: 10_000,
    // For callers without identity only, whom the authorizer refuses anyway.
    token_bucket: bucket(requestsPerSecond),
    always_consume_default_token_bucket: false,
  });
}

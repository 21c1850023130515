import { requestAuthorization } from "./authorization.ts";
import { setForRequest } from "./filter-state.ts";
import type { EnvoySettings } from "./settings.ts";
import { extension } from "./typed.ts";

/** Everything a request passes on a listener for workloads, in this order. */
export function requestFilters(settings: EnvoySettings): readonly object[] {
  return [
    limitPerWorkload(settings),
    requestAuthorization(settings),
    setForRequest(),
    extension("envoy.filters.http.router", "extensions.filters.http.router.v3.Router", {
      suppress_envoy_headers: true,
    }),
  ];
}

/** One workload that floods the gateway is refused before it costs the authorizer anything, and takes nothing from the others. */
function limitPerWorkload({ requestsPerSecond }: EnvoySettings): object {
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

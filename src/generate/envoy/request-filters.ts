import { setForRequest } from "../envoy-parts/filter-state.ts";
import { limitPerWorkload } from "../envoy-parts/limit.ts";
import { extension } from "../envoy-parts/typed.ts";
import { requestAuthorization } from "./authorization.ts";
import type { EnvoySettings } from "./settings.ts";

/** Everything a request passes on a listener for workloads, in this order. */
export function requestFilters(settings: EnvoySettings): readonly object[] {
  return [
    limitPerWorkload(settings.requestsPerSecond),
    requestAuthorization(settings),
    setForRequest(),
    extension("envoy.filters.http.router", "extensions.filters.http.router.v3.Router", {
      suppress_envoy_headers: true,
    }),
  ];
}

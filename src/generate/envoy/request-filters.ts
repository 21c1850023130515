import { setForRequest } from "../envoy-parts/filter-state.ts";
import { limitPerWorkload } from "../envoy-parts/limit.ts";
import { seatFilters } from "../envoy-parts/seat.ts";
import { extension } from "../envoy-parts/typed.ts";
import { requestAuthorization } from "./authorization.ts";
import { SEAT_CLUSTERS } from "./clusters.ts";
import type { EnvoySettings } from "./settings.ts";

/** Everything a request passes on a listener for workloads, in this order. */
export function requestFilters(settings: EnvoySettings, dialled: number): readonly object[] {
  const { seat } = settings;
  return [
    limitPerWorkload(settings.requestsPerSecond),
    ...(seat === null ? [requestAuthorization(settings)] : seatFilters(seat, SEAT_CLUSTERS, dialled)),
    setForRequest(),
    extension("envoy.filters.http.router", "extensions.filters.http.router.v3.Router", {
      suppress_envoy_headers: true,
    }),
  ];
}

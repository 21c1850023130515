import { DECISION } from "../envoy-parts/seat.ts";
import { extension } from "../envoy-parts/typed.ts";

/**
 * One JSON line per request or connection, with what the authorizer said of it; and one per connection outside, with the
 * address. No query string, no header of the caller's but the host.
 */
export function accessLog(path: string, kind: "http" | "seat" | "network" | "dial"): object {
  const decided = (field: string): string => `%DYNAMIC_METADATA(envoy.filters.${kind}.ext_authz:${field})%`;
  // Where the filter decides, its report has host and path without user information.
  const asked = kind === "http" ? { authority: "%REQ(:AUTHORITY)%", path: "%PATH(NQ)%" } : {};
  const http = {
    method: "%REQ(:METHOD)%",
    ...asked,
    code: "%RESPONSE_CODE%",
    details: "%RESPONSE_CODE_DETAILS%",
    request: "%REQ(X-REQUEST-ID)%",
  };
  const isHttp = kind === "http" || kind === "seat";
  const here = { decision: `%FILTER_STATE(${DECISION}:PLAIN)%` };
  const there = {
    decision: decided("decision_id"),
    effect: decided("effect"),
    reason: decided("reason"),
    rules: decided("rules"),
    revision: decided("revision"),
  };
  const dial = { host: "%FILTER_STATE(sallyport.destination:PLAIN)%", refused: "%CONNECTION_TERMINATION_DETAILS%" };
  return extension("file", "extensions.access_loggers.file.v3.FileAccessLog", {
    path,
    log_format: {
      json_format: {
        kind: isHttp ? "http" : kind,
        time: "%START_TIME%",
        peer: "%DOWNSTREAM_PEER_URI_SAN%",
        sni: "%REQUESTED_SERVER_NAME%",
        ...(isHttp ? http : {}),
        flags: "%RESPONSE_FLAGS%",
        upstream: "%UPSTREAM_HOST%",
        cluster: "%UPSTREAM_CLUSTER%",
        received: "%BYTES_RECEIVED%",
        sent: "%BYTES_SENT%",
        milliseconds: "%DURATION%",
        ...(kind === "dial" ? dial : kind === "seat" ? here : there),
      },
    },
  });
}

/** Of a request that goes on, other logs may be told now and then. */
export function onceAtTheEnd(): object {
  return { filter: { log_type_filter: { types: ["DownstreamPeriodic"], exclude: true } } };
}

import type { Outcome } from "../../audit/record.ts";

/** An entry of Envoy's access log, as far as it is read. Everything may be absent. @see protos/envoy/data/accesslog/v3 */
export interface LogEntry {
  readonly common_properties?: {
    readonly upstream_remote_address?: {
      readonly socket_address?: { readonly address?: string; readonly port_value?: number };
    };
    readonly response_flags?: Readonly<Record<string, boolean>>;
    readonly filter_state_objects?: Readonly<Record<string, { readonly value?: Uint8Array }>>;
    readonly duration?: { readonly seconds?: number; readonly nanos?: number };
    readonly intermediate_log_entry?: boolean;
  };
  readonly request?: { readonly request_body_bytes?: number };
  readonly response?: {
    readonly response_code?: { readonly value?: number };
    readonly response_body_bytes?: number;
    readonly response_code_details?: string;
  };
}

/** Envoy's short names of response flags. */
const FLAGS: Readonly<Record<string, string>> = {
  failed_local_healthcheck: "LH",
  no_healthy_upstream: "UH",
  upstream_request_timeout: "UT",
  local_reset: "LR",
  upstream_remote_reset: "UR",
  upstream_connection_failure: "UF",
  upstream_connection_termination: "UC",
  upstream_overflow: "UO",
  no_route_found: "NR",
  delay_injected: "DI",
  fault_injected: "FI",
  rate_limited: "RL",
  rate_limit_service_error: "RLSE",
  downstream_connection_termination: "DC",
  upstream_retry_limit_exceeded: "URX",
  stream_idle_timeout: "SI",
  invalid_envoy_request_headers: "IH",
  downstream_protocol_error: "DPE",
  upstream_max_stream_duration_reached: "UMSDR",
  response_from_cache_filter: "RFCF",
  no_filter_config_found: "NFCF",
  duration_timeout: "DT",
  upstream_protocol_error: "UPE",
  no_cluster_found: "NC",
  overload_manager: "OM",
  dns_resolution_failure: "DF",
  downstream_remote_reset: "DR",
};

/** What came of a request, by Envoy's account. */
export function outcomeOf({ common_properties: common, request, response }: LogEntry): Outcome {
  const upstream = common?.upstream_remote_address?.socket_address;
  const { seconds = 0, nanos = 0 } = common?.duration ?? {};
  return {
    status: response?.response_code?.value ?? null,
    details: response?.response_code_details || null,
    flags: Object.keys(common?.response_flags ?? {}).map((flag) => FLAGS[flag] ?? flag),
    upstream: upstream?.address === undefined ? null : `${upstream.address}:${upstream.port_value ?? 0}`,
    receivedBytes: request?.request_body_bytes ?? 0,
    sentBytes: response?.response_body_bytes ?? 0,
    durationMs: seconds * 1000 + Math.round(nanos / 1_000_000),
  };
}

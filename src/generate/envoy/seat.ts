import { extension } from "../envoy-parts/typed.ts";
import { AUTHORIZER, BUNDLES } from "./clusters.ts";
import type { GatewaySeat } from "./settings.ts";

/**
 * Decides each request in Envoy itself. The root id is the port that the listener's routes lead to. A trap refuses the request and
 * loads the filter anew; unset, it would leave the worker refusing for good.
 */
export function decideHere({ filter }: GatewaySeat, dialled: number): object {
  const settings = `bundle=${BUNDLES}\ncheck=${AUTHORIZER}\n`;
  return extension("sallyport", "extensions.filters.http.wasm.v3.Wasm", {
    config: {
      name: "sallyport",
      root_id: String(dialled),
      failure_policy: "FAIL_RELOAD",
      vm_config: {
        vm_id: "sallyport",
        runtime: "envoy.wasm.runtime.v8",
        code: { local: { filename: filter } },
      },
      configuration: { "@type": "type.googleapis.com/google.protobuf.StringValue", value: settings },
    },
  });
}

/** The filter's state that access logs take the decision from. */
export const DECISION = "wasm.sallyport.decision";

/**
 * Sends each decision to the authorizer, which puts it on record with what came of it. Entries wait no longer than this together; those
 * of requests that go on are sent each second, since an allow should be on record before its request ends.
 */
export function reportDecisions(): object {
  return extension("envoy.access_loggers.http_grpc", "extensions.access_loggers.grpc.v3.HttpGrpcAccessLogConfig", {
    common_config: {
      log_name: "sallyport",
      transport_api_version: "V3",
      grpc_service: { envoy_grpc: { cluster_name: AUTHORIZER } },
      buffer_flush_interval: "0.2s",
      buffer_size_bytes: 65_536,
      filter_state_objects_to_log: [DECISION],
    },
  });
}

export const REPORT_WHILE_OPEN = { access_log_flush_interval: "1s" } as const;

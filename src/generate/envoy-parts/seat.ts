import { codeOf, type FilterCode } from "./filter-code.ts";
import { ownText, setForEachRequest } from "./filter-state.ts";
import { extension } from "./typed.ts";

/** Clusters that the filter knows: where policies come from, and who is asked and told. */
export interface SeatClusters {
  readonly bundles: string;
  readonly authorizer: string;
}

/** The filter, and the public keys of which one must have signed what it decides by (as in the policy model). */
export interface SeatFilter {
  readonly filter: FilterCode;
  readonly publicKeys: readonly string[];
}

/** The name of the cluster that the filter fetches policies from. */
export const BUNDLES = "sallyport-bundles";

/** The filter's state that access logs take the decision from. */
export const DECISION = "wasm.sallyport.decision";

/** What the filter calls the caller's names. */
const PEER = "sallyport.peer";

/**
 * What a listener has in the place of the question to the authorizer: the caller's names, all of them, since Envoy tells a filter the first URI of a certificate only;
 * and the filter. Without the names nobody has an identity.
 */
export function seatFilters(filter: SeatFilter, clusters: SeatClusters, dialled: number): readonly [object, object] {
  const names = setForEachRequest(PEER, [ownText(PEER, "%DOWNSTREAM_PEER_URI_SAN%")]);
  return [names, decideHere(filter, clusters, dialled)];
}

/**
 * Decides each request in Envoy itself. The root id is the port that the listener's routes lead to. A trap refuses the request and
 * loads the filter anew; unset, it would leave the worker refusing for good.
 */
function decideHere(
  { filter, publicKeys }: SeatFilter,
  { bundles, authorizer }: SeatClusters,
  dialled: number,
): object {
  const keys = publicKeys.map((each) => `key=${each}\n`).join("");
  return extension("sallyport", "extensions.filters.http.wasm.v3.Wasm", {
    config: {
      name: "sallyport",
      root_id: String(dialled),
      failure_policy: "FAIL_RELOAD",
      vm_config: { vm_id: "sallyport", runtime: "envoy.wasm.runtime.v8", code: codeOf(filter) },
      configuration: {
        "@type": "type.googleapis.com/google.protobuf.StringValue",
        value: `bundle=${bundles}\ncheck=${authorizer}\n${keys}`,
      },
    },
  });
}

/**
 * Sends each decision to the authorizer, which puts it on record with what came of it. Entries wait no longer than this together; those
 * of requests that go on are sent each second, since an allow should be on record before its request ends.
 */
export function reportDecisions({ authorizer }: SeatClusters): object {
  return extension("envoy.access_loggers.http_grpc", "extensions.access_loggers.grpc.v3.HttpGrpcAccessLogConfig", {
    common_config: {
      log_name: "sallyport",
      transport_api_version: "V3",
      // Names of Istio's clusters are no authorities.
      grpc_service: { envoy_grpc: { cluster_name: authorizer, authority: "sallyport" } },
      buffer_flush_interval: "0.2s",
      buffer_size_bytes: 65_536,
      filter_state_objects_to_log: [DECISION],
    },
  });
}

export const REPORT_WHILE_OPEN = { access_log_flush_interval: "1s" } as const;

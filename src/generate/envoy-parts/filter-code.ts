import type { FilterSource } from "../../policy/model.ts";
import type { GenerateOptions } from "../draft.ts";
import { extension } from "./typed.ts";

/** Where the filter comes from, with its code in base64 where the configuration carries it. */
export type FilterCode =
  | Exclude<FilterSource, { kind: "inline" }>
  | { readonly kind: "inline"; readonly base64: string };

/** The name of the cluster that the filter is fetched from. */
const FILTER_CLUSTER = "sallyport-filter";

/** A policy set's filter, ready to be written down. @throws when its code is wanted and nobody gave it */
export function resolveFilter(source: FilterSource, { filterCode }: GenerateOptions): FilterCode {
  if (source.kind !== "inline") return source;
  if (filterCode === undefined) throw new Error("`filter: {inline: true}` needs the filter's code");
  return { kind: "inline", base64: Buffer.from(filterCode()).toString("base64") };
}

/** Where Envoy gets the filter's code: its `AsyncDataSource`. Envoy refuses requests until it has it. */
export function codeOf(source: FilterCode): object {
  switch (source.kind) {
    case "file":
      return { local: { filename: source.path } };
    case "inline":
      return { local: { inline_bytes: source.base64 } };
    case "url":
      return {
        remote: {
          http_uri: { uri: source.url, cluster: FILTER_CLUSTER, timeout: "10s" },
          sha256: source.sha256,
          retry_policy: { num_retries: 10, retry_back_off: { base_interval: "1s", max_interval: "10s" } },
        },
      };
  }
}

/** The cluster that the filter is fetched from; null where it is not fetched. `roots` verify the server. */
export function filterCluster(source: FilterCode, roots: string): object | null {
  if (source.kind !== "url") return null;
  const { protocol, hostname, port } = new URL(source.url);
  const isTls = protocol === "https:";
  const address = { socket_address: { address: hostname, port_value: Number(port) || (isTls ? 443 : 80) } };
  const tls = {
    sni: hostname,
    common_tls_context: {
      validation_context: {
        trusted_ca: { filename: roots },
        match_typed_subject_alt_names: [{ san_type: "DNS", matcher: { exact: hostname } }],
      },
    },
  };
  return {
    name: FILTER_CLUSTER,
    type: "STRICT_DNS",
    connect_timeout: "5s",
    load_assignment: { cluster_name: FILTER_CLUSTER, endpoints: [{ lb_endpoints: [{ endpoint: { address } }] }] },
    ...(isTls
      ? {
          transport_socket: extension("tls", "extensions.transport_sockets.tls.v3.UpstreamTlsContext", tls),
        }
      : {}),
  };
}

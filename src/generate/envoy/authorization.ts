import { extension, typed } from "../envoy-parts/typed.ts";
import { AUTHORIZER } from "./clusters.ts";
import type { EnvoySettings } from "./settings.ts";

const HTTP = "envoy.filters.http.ext_authz";
const TYPE = "extensions.filters.http.ext_authz.v3";

/** What a connection's Check is told, since network filters have no routes. */
export interface Named {
  readonly port: number;
  /** Null where the client names the host (SNI). */
  readonly host: string | null;
}

function common({ authorizer }: Pick<EnvoySettings, "authorizer">, initial_metadata: readonly object[]): object {
  return {
    transport_api_version: "V3",
    failure_mode_allow: authorizer.failOpen,
    include_peer_certificate: true,
    include_tls_session: true,
    grpc_service: {
      timeout: `${authorizer.timeoutMs / 1000}s`,
      envoy_grpc: {
        cluster_name: AUTHORIZER,
        retry_policy: { retry_on: "connect-failure,refused-stream,unavailable", num_retries: 1 },
      },
      ...(initial_metadata.length === 0 ? {} : { initial_metadata }),
    },
  };
}

/** Asks about each request, with its headers as they are. */
export function requestAuthorization(settings: Pick<EnvoySettings, "authorizer">): object {
  return extension(HTTP, `${TYPE}.ExtAuthz`, {
    ...common(settings, []),
    encode_raw_headers: true,
    validate_mutations: true,
    status_on_error: { code: "Forbidden" },
  });
}

/** The named port of a route, by which the authorizer knows what the application dialled. */
export function namePort(port: number): Readonly<Record<string, object>> {
  const check_settings = { context_extensions: { "sallyport.port": String(port) } };
  return { [HTTP]: typed(`${TYPE}.ExtAuthzPerRoute`, { check_settings }) };
}

/** Asks about a connection, at its first bytes. */
export function connectionAuthorization(settings: EnvoySettings, name: string, { host, port }: Named): object {
  const metadata = [
    ...(host === null ? [] : [{ key: "sallyport-host", value: host }]),
    { key: "sallyport-port", value: String(port) },
  ];
  return extension("envoy.filters.network.ext_authz", "extensions.filters.network.ext_authz.v3.ExtAuthz", {
    stat_prefix: name,
    ...common(settings, metadata),
  });
}

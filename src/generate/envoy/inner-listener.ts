import { serviceTitle } from "../services.ts";
import { connectionAddressCheck, onlyAddresses } from "./address-check.ts";
import { forwarder, tlsInspector } from "./byte-filters.ts";
import { dialledPort } from "./clusters.ts";
import { dnsCache } from "./dns.ts";
import { BYTES, type Outlet } from "./outlet.ts";
import type { EnvoySettings } from "./settings.ts";
import { extension } from "./typed.ts";

const OUTER_SNI = "sallyport.outer-sni";
const STATE = "extensions.filters.network.set_filter_state.v3.Config";
const SET_STATE = "envoy.filters.network.set_filter_state";

/** The listener inside this Envoy that takes an outlet's bytes once they are allowed: application TLS by port, since it names its host itself. */
export function innerListenerName({ kind, service, host, dialled }: Outlet): string {
  if (kind === "tls") return `inner-tls-${dialled}${service.internal ? "-internal" : ""}`;
  return `inner-tcp-${dialled}/${serviceTitle(service)}/${host}`;
}

/** Takes the name that was authorised along. */
export function carriedSni(): object {
  return extension(SET_STATE, STATE, {
    on_new_connection: [
      {
        object_key: OUTER_SNI,
        factory_key: "envoy.string",
        format_string: { text_format_source: { inline_string: "%REQUESTED_SERVER_NAME%" } },
        shared_with_upstream: "ONCE",
      },
    ],
  });
}

/** Looks the host up, checks its address and hands the bytes on. Application TLS passes only if it names the host that was authorised. */
export function innerListener(settings: EnvoySettings, outlet: Outlet): object {
  const name = innerListenerName(outlet);
  const { kind, service, host } = outlet;
  const tls = kind === "tls";
  const lookUp = {
    dns_cache_config: dnsCache(settings),
    port_value: dialledPort(settings, outlet),
    save_upstream_address: true,
  };
  return {
    name,
    internal_listener: {},
    ...(tls ? { listener_filters: [tlsInspector()] } : {}),
    filter_chains: [
      {
        filters: [
          tls ? sameSni() : namedHost(host),
          extension(
            "envoy.filters.network.sni_dynamic_forward_proxy",
            "extensions.filters.network.sni_dynamic_forward_proxy.v3.FilterConfig",
            lookUp,
          ),
          ...(service.internal ? [] : [connectionAddressCheck(settings.guardedRanges)]),
          ...(service.addresses.length === 0 ? [] : [onlyAddresses(service.addresses, settings.standIn?.address)]),
          forwarder(name, BYTES, {}),
        ],
      },
    ],
  };
}

function namedHost(host: string): object {
  const value = {
    object_key: "envoy.upstream.dynamic_host",
    format_string: { text_format_source: { inline_string: host } },
  };
  return extension(SET_STATE, STATE, { on_new_connection: [value] });
}

/** In CEL's own tree: `bytes(connection.requested_server_name) == filter_state["sallyport.outer-sni"]`. */
function sameSni(): object {
  const name = { select_expr: { operand: { ident_expr: { name: "connection" } }, field: "requested_server_name" } };
  const said = { call_expr: { function: "bytes", args: [name] } };
  const authorised = {
    call_expr: {
      function: "_[_]",
      args: [{ ident_expr: { name: "filter_state" } }, { const_expr: { string_value: OUTER_SNI } }],
    },
  };
  const same = {
    permissions: [{ any: true }],
    principals: [{ any: true }],
    condition: { call_expr: { function: "_==_", args: [said, authorised] } },
  };
  return extension("envoy.filters.network.rbac", "extensions.filters.network.rbac.v3.RBAC", {
    stat_prefix: "inner-sni",
    rules: { action: "ALLOW", policies: { "same-name": same } },
  });
}

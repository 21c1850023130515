import { passedOn, setApart, setForConnection } from "../envoy-parts/filter-state.ts";
import { forwarder } from "../envoy-parts/forwarder.ts";
import { tlsInspector } from "../envoy-parts/tls-inspector.ts";
import { extension } from "../envoy-parts/typed.ts";
import { isWildcard } from "../services.ts";
import { accessLog } from "./access-log.ts";
import { isRight, looksRight } from "./address-check.ts";
import { dialledPort, OUTSIDE } from "./clusters.ts";
import { addressRule, diallerName, lookUpName, namingName } from "./dialler-name.ts";
import { dnsCache } from "./dns.ts";
import type { Outlet } from "./outlet.ts";
import { sameSni } from "./same-sni.ts";
import type { EnvoySettings } from "./settings.ts";

/**
 * The listener inside this Envoy that says where an outlet's bytes go. Application TLS passes only if it names the host
 * that was authorised.
 */
export function namingListener(settings: EnvoySettings, outlet: Outlet): object {
  const { kind, host } = outlet;
  const saysName = kind === "tls" || isWildcard(host);
  const name = saysName ? "%REQUESTED_SERVER_NAME%" : host;
  const port = dialledPort(settings, outlet);
  const destination = [
    passedOn("envoy.upstream.dynamic_host", name),
    passedOn("envoy.upstream.dynamic_port", `${port}`),
    setApart("sallyport.destination", `${name}:${port}`),
  ];
  const filters = [
    ...(kind === "tls" ? [sameSni()] : []),
    setForConnection(destination),
    forwarder(namingName(outlet), lookUpName(outlet), {}),
  ];
  return {
    ...internalListener(namingName(outlet), filters),
    ...(saysName ? { listener_filters: [tlsInspector()] } : {}),
  };
}

/** The listener inside this Envoy that looks hosts up, and goes on if the address is one that it may be. */
export function lookUpListener(settings: EnvoySettings, outlet: Outlet): object {
  const name = lookUpName(outlet);
  const filters = [
    lookUp(settings),
    looksRight(addressRule(settings, outlet)),
    forwarder(name, diallerName(outlet), {}),
  ];
  return { ...internalListener(name, filters), access_log: [accessLog(settings.accessLog, "dial")] };
}

/** The listener inside this Envoy that dials what was looked up, and lets no byte out before it knows where to. */
export function diallerListener(settings: EnvoySettings, outlet: Outlet): object {
  const name = diallerName(outlet);
  const filters = [
    lookUp(settings),
    ...isRight(addressRule(settings, outlet)),
    // At once, since the bytes must meet the check after the connection is there; they were allowed before they came here.
    forwarder(name, OUTSIDE, { upstream_connect_mode: "IMMEDIATE" }),
  ];
  return { ...internalListener(name, filters), access_log: [accessLog(settings.accessLog, "dial")] };
}

function internalListener(name: string, filters: readonly object[]): object {
  return { name, internal_listener: {}, filter_chains: [{ filters }] };
}

function lookUp(settings: EnvoySettings): object {
  return extension(
    "envoy.filters.network.sni_dynamic_forward_proxy",
    "extensions.filters.network.sni_dynamic_forward_proxy.v3.FilterConfig",
    { dns_cache_config: dnsCache(settings), save_upstream_address: true },
  );
}

import { extension } from "../envoy-parts/typed.ts";
import type { EnvoySettings } from "./settings.ts";

/** The one cache of names outside: filters and clusters that share it must be configured alike. */
export function dnsCache({ dnsServer }: EnvoySettings): object {
  const cache = { name: "outside", dns_lookup_family: "V4_PREFERRED", max_hosts: 16_384, host_ttl: "300s" };
  if (dnsServer === null) return cache;
  const { address, port } = dnsServer;
  return {
    ...cache,
    typed_dns_resolver_config: extension(
      "envoy.network.dns_resolver.cares",
      "extensions.network.dns_resolver.cares.v3.CaresDnsResolverConfig",
      {
        resolvers: [{ socket_address: { address, port_value: port } }],
        dns_resolver_options: { no_default_search_domain: true },
      },
    ),
  };
}

import { hostCidr } from "../public-addresses.ts";
import { isWildcard } from "../services.ts";
import { dialledPort } from "./clusters.ts";
import type { Outlet } from "./outlet.ts";
import type { EnvoySettings } from "./settings.ts";

/** Says which host is looked up and which port is dialled, whatever spelling of them the request has. */
export function destination(settings: EnvoySettings, outlet: Outlet): readonly object[] {
  if (hostCidr(outlet.host) !== null) return [];
  const port = value("envoy.upstream.dynamic_port", `${dialledPort(settings, outlet)}`);
  return isWildcard(outlet.host) ? [port] : [value("envoy.upstream.dynamic_host", outlet.host), port];
}

/** Makes who asks part of what tells upstream connections apart, where workloads must not share them. */
export function ownConnections({ service }: Outlet): readonly object[] {
  if (service.connections?.share !== "workload") return [];
  return [
    {
      object_key: "sallyport.workload",
      factory_key: "envoy.hashable_string",
      ...text("%DOWNSTREAM_PEER_URI_SAN%"),
      shared_with_upstream: "ONCE",
    },
  ];
}

function value(key: string, inline: string): object {
  return { object_key: key, ...text(inline) };
}

function text(inline_string: string): object {
  return { format_string: { text_format_source: { inline_string } } };
}

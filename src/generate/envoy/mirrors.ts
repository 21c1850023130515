import { authorityOf, clusterName, MIRRORS, mirrorAuthority, type Outlet } from "./outlet.ts";
import type { Outlets } from "./outlets.ts";
import { wayOut } from "./request-filters.ts";
import { connectionManager } from "./request-listener.ts";
import { filters } from "./routes.ts";
import type { EnvoySettings } from "./settings.ts";

/** The ways out that copies take. */
export function mirrored(outlets: Outlets): readonly Outlet[] {
  const found = outlets.all.flatMap((outlet) => {
    const { mirror } = outlet.service;
    const target =
      mirror === null || outlet.kind === "tls" || outlet.kind === "tcp" ? null : outlets.routed(mirror.service, outlet);
    return target === null ? [] : [target];
  });
  return [...new Set(found)];
}

/** Copies of requests go through a listener inside this Envoy: by themselves they pass no filter, and so no check of the address. */
export function mirrorListener(settings: EnvoySettings, targets: readonly Outlet[]): object {
  const virtual_hosts = targets.map((target) => ({
    name: mirrorAuthority(target),
    domains: [mirrorAuthority(target)],
    routes: [
      {
        match: { prefix: "/" },
        route: { cluster: clusterName(target), timeout: "60s", host_rewrite_literal: authorityOf(target) },
        typed_per_filter_config: filters(settings, target),
      },
    ],
  }));
  return {
    name: MIRRORS,
    internal_listener: {},
    filter_chains: [
      {
        filters: [
          connectionManager(MIRRORS, {
            route_config: { name: MIRRORS, virtual_hosts },
            http_filters: wayOut(settings),
          }),
        ],
      },
    ],
  };
}

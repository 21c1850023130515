import { isWildcard, serviceTitle } from "../services.ts";
import { withoutAddressCheck } from "./address-check.ts";
import { namePort } from "./authorization.ts";
import { destination, ownConnections } from "./filter-state.ts";
import { authorityOf, clusterName, MIRRORS, mirrorAuthority, type Outlet } from "./outlet.ts";
import type { Outlets } from "./outlets.ts";
import type { EnvoySettings } from "./settings.ts";
import { typed } from "./typed.ts";

const STATE = "envoy.filters.http.set_filter_state";

/** The hosts that one listener serves, and last whatever no service registers: asked about all the same, so that each refusal has its record. */
export function virtualHosts(
  settings: EnvoySettings,
  outlets: Outlets,
  served: readonly Outlet[],
  port: number,
): readonly object[] {
  const catchAll = {
    name: "unregistered",
    domains: ["*"],
    routes: [refusal(port, { connect_matcher: {} }), refusal(port, { prefix: "/" })],
  };
  return [...served.map((outlet) => virtualHost(settings, outlets, outlet)), catchAll];
}

function virtualHost(settings: EnvoySettings, outlets: Outlets, outlet: Outlet): object {
  const { service, host, dialled } = outlet;
  const upgrade = { prefix: "/", headers: [{ name: "upgrade", present_match: true }, isUpgrade] };
  return {
    name: `${serviceTitle(service)}/${host}`,
    domains: [host],
    routes: [
      refusal(dialled, { connect_matcher: {} }),
      outlets.upgrades(service)
        ? {
            match: upgrade,
            route: { cluster: clusterName(outlet, true), ...common(outlet) },
            ...perRoute(settings, outlet),
          }
        : refusal(dialled, upgrade),
      { match: { prefix: "/" }, route: action(settings, outlets, outlet), ...perRoute(settings, outlet) },
    ],
  };
}

const isUpgrade = { name: "connection", string_match: { contains: "upgrade", ignore_case: true } };

function refusal(port: number, match: object): object {
  const body = { inline_string: "no route leaves the mesh from here\n" };
  return { match, direct_response: { status: 403, body }, typed_per_filter_config: namePort(port) };
}

/** No limit to a whole answer: streams are ended by their greatest duration, and by saying nothing for five minutes. */
function common(outlet: Outlet): object {
  return { timeout: "0s", ...(isWildcard(outlet.host) ? {} : { host_rewrite_literal: authorityOf(outlet) }) };
}

function action(settings: EnvoySettings, outlets: Outlets, outlet: Outlet): object {
  const { split, mirror } = outlet.service;
  const targets = split.map(({ service, weight }) => ({ weight, target: outlets.routed(service, outlet) }));
  const mirrored = mirror === null ? null : outlets.routed(mirror.service, outlet);
  const copies =
    mirror === null || mirrored === null
      ? {}
      : {
          request_mirror_policies: [
            {
              cluster: MIRRORS,
              runtime_fraction: {
                default_value: { numerator: Math.round(mirror.percent * 10_000), denominator: "MILLION" },
              },
              host_rewrite_literal: mirrorAuthority(mirrored),
            },
          ],
        };
  if (targets.length === 0) return { cluster: clusterName(outlet), ...common(outlet), ...copies };
  const clusters = targets.flatMap(({ weight, target }) =>
    target === null
      ? []
      : [
          {
            name: clusterName(target),
            weight,
            host_rewrite_literal: authorityOf(target),
            typed_per_filter_config: filters(settings, target),
          },
        ],
  );
  return { weighted_clusters: { clusters }, timeout: "0s", ...copies };
}

function perRoute(settings: EnvoySettings, outlet: Outlet): object {
  return { typed_per_filter_config: { ...namePort(outlet.dialled), ...filters(settings, outlet) } };
}

/** What filters after the authorizer are told of where a request goes. */
export function filters(settings: EnvoySettings, outlet: Outlet): Readonly<Record<string, object>> {
  const on_request_headers = [...destination(settings, outlet), ...ownConnections(outlet)];
  return {
    ...(on_request_headers.length === 0
      ? {}
      : { [STATE]: typed("extensions.filters.http.set_filter_state.v3.Config", { on_request_headers }) }),
    ...(outlet.service.internal ? withoutAddressCheck() : {}),
  };
}

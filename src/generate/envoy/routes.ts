import { routeValues, setApart } from "../envoy-parts/filter-state.ts";
import { isWildcard, serviceTitle } from "../services.ts";
import { namePort } from "./authorization.ts";
import { authorityOf, clusterName, type Outlet } from "./outlet.ts";
import type { Outlets } from "./outlets.ts";

/** The hosts that one listener serves, and last whatever no service registers: asked about all the same, so that each refusal has its record. */
export function virtualHosts(outlets: Outlets, served: readonly Outlet[], port: number): readonly object[] {
  const catchAll = {
    name: "unregistered",
    domains: ["*"],
    routes: [refusal(port, { connect_matcher: {} }), refusal(port, { prefix: "/" })],
  };
  return [...served.map((outlet) => virtualHost(outlets, outlet)), catchAll];
}

function virtualHost(outlets: Outlets, outlet: Outlet): object {
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
            ...perRoute(outlet),
          }
        : refusal(dialled, upgrade),
      { match: { prefix: "/" }, route: action(outlets, outlet), ...perRoute(outlet) },
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

function action(outlets: Outlets, outlet: Outlet): object {
  const { split, mirror } = outlet.service;
  const targets = split.map(({ service, weight }) => ({ weight, target: outlets.routed(service, outlet) }));
  const mirrored = mirror === null ? null : outlets.routed(mirror.service, outlet);
  const copies =
    mirror === null || mirrored === null
      ? {}
      : {
          request_mirror_policies: [
            {
              cluster: clusterName(mirrored),
              runtime_fraction: {
                default_value: { numerator: Math.round(mirror.percent * 10_000), denominator: "MILLION" },
              },
              host_rewrite_literal: authorityOf(mirrored),
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
            typed_per_filter_config: ownConnections(target),
          },
        ],
  );
  return { weighted_clusters: { clusters }, timeout: "0s", ...copies };
}

function perRoute(outlet: Outlet): object {
  return { typed_per_filter_config: { ...namePort(outlet.dialled), ...ownConnections(outlet) } };
}

/** Makes who asks part of what tells upstream connections apart, where workloads must not share them. */
function ownConnections({ service }: Outlet): Readonly<Record<string, object>> {
  if (service.connections?.share !== "workload") return {};
  return routeValues([setApart("sallyport.workload", "%DOWNSTREAM_PEER_URI_SAN%")]);
}

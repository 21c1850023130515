import type { PolicySet } from "../../policy/model.ts";
import { filterCluster } from "../envoy-parts/filter-code.ts";
import { extension, typed } from "../envoy-parts/typed.ts";
import { hostCidr } from "../public-addresses.ts";
import {
  addressCluster,
  authorizerCluster,
  bundlesCluster,
  internalCluster,
  outsideCluster,
  requestCluster,
} from "./clusters.ts";
import { connectionListener, NOWHERE } from "./connection-listener.ts";
import { diallerListener, lookUpListener, namingListener } from "./dialler.ts";
import { diallerName, lookUpName, namingName } from "./dialler-name.ts";
import { FLOODS } from "./floods.ts";
import { clusterName, isBytes, type Outlet } from "./outlet.ts";
import { createOutlets, type Outlets } from "./outlets.ts";
import { requestListener } from "./request-listener.ts";
import type { EnvoySettings, GatewaySeat } from "./settings.ts";

/** A whole bootstrap for a standalone Envoy gateway. Deterministic. */
export function envoyBootstrap(set: PolicySet, settings: EnvoySettings): object {
  const outlets = createOutlets(set);
  const { trustDomains, federatedTrustDomains } = set.gateway;
  const domains = [...trustDomains, ...federatedTrustDomains];
  const names = outlets.all.filter(isLookedUp);
  const lookedUp = unique(names, lookUpName);
  const dialled = unique(names, diallerName);
  const named = unique(names, namingName);
  const bytes = unique(names.filter(isBytes), namingName);
  const upgrades = upgradesOf(set);
  return {
    node: { id: set.gateway.name, cluster: set.gateway.namespace },
    admin: { address: { pipe: { path: settings.adminSocket, mode: 0o600 } } },
    bootstrap_extensions: [
      {
        name: "envoy.bootstrap.internal_listener",
        typed_config: typed("extensions.bootstrap.internal_listener.v3.InternalListener", {}),
      },
    ],
    overload_manager: {
      resource_monitors: [
        extension(
          "envoy.resource_monitors.global_downstream_max_connections",
          "extensions.resource_monitors.downstream_connections.v3.DownstreamConnectionsConfig",
          { max_active_downstream_connections: settings.maxConnections },
        ),
      ],
    },
    layered_runtime: FLOODS,
    static_resources: {
      listeners: [
        ...outlets.listeners.map((listener) =>
          listener.kind === "tls" || listener.kind === "tcp"
            ? connectionListener(settings, outlets, listener, domains)
            : requestListener(settings, outlets, listener, upgrades, domains),
        ),
        ...named.map((outlet) => namingListener(settings, outlet)),
        ...lookedUp.map((outlet) => lookUpListener(settings, outlet)),
        ...dialled.map((outlet) => diallerListener(settings, outlet)),
      ],
      clusters: [
        authorizerCluster(settings, trustDomains[0] ?? ""),
        ...(settings.seat === null ? [] : seatClusters(settings, settings.seat, trustDomains[0] ?? "")),
        ...requestClusters(settings, outlets),
        ...bytes.map((outlet) => internalCluster(namingName(outlet))),
        ...lookedUp.map((outlet) => internalCluster(lookUpName(outlet))),
        ...dialled.map((outlet) => internalCluster(diallerName(outlet))),
        ...outlets.all
          .filter((outlet) => isBytes(outlet) && !isLookedUp(outlet))
          .map((outlet) => addressCluster(settings, outlet)),
        outsideCluster(settings),
        { name: NOWHERE, type: "STATIC", connect_timeout: "1s" },
      ],
    },
  };
}

function seatClusters(settings: EnvoySettings, seat: GatewaySeat, trustDomain: string): readonly object[] {
  const fetched = filterCluster(seat.filter, settings.outsideRoots);
  return [bundlesCluster(settings, seat, trustDomain), ...(fetched === null ? [] : [fetched])];
}

/** Hosts that are addresses need no looking up. */
function isLookedUp({ host }: Outlet): boolean {
  return hostCidr(host) === null;
}

function requestClusters(settings: EnvoySettings, outlets: Outlets): readonly object[] {
  const requests = unique(
    outlets.all.filter((outlet) => !isBytes(outlet)),
    (outlet) => clusterName(outlet),
  );
  return requests.flatMap((outlet) => [
    requestCluster(settings, outlet, false),
    ...(outlets.upgrades(outlet.service) ? [requestCluster(settings, outlet, true)] : []),
  ]);
}

function unique(outlets: readonly Outlet[], key: (outlet: Outlet) => string): readonly Outlet[] {
  return [...new Map(outlets.map((outlet) => [key(outlet), outlet])).values()];
}

/** The protocols that some rule names: Envoy itself refuses to upgrade to others. WebSocket is always asked about, as the one that clients use. */
function upgradesOf(set: PolicySet): readonly string[] {
  const named = set.policies.flatMap(({ rules }) => rules.flatMap(({ upgrades }) => upgrades));
  return [...new Set(["websocket", ...named])].sort();
}

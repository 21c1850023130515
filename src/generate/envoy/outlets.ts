import type { ExternalService, PolicySet, ServiceRef } from "../../policy/model.ts";
import { openingsOf } from "../../policy/visibility.ts";
import { type GatewayListener, listenerName, listenersOf } from "../listeners.ts";
import { routedHost } from "../services.ts";
import { type Outlet, outletsOf } from "./outlet.ts";

/** Every way out of a policy set. */
export interface Outlets {
  readonly all: readonly Outlet[];
  readonly listeners: readonly GatewayListener[];
  at(listener: GatewayListener): readonly Outlet[];
  /** Where traffic that one service sends on to another leaves; null if that is not said. */
  routed(service: ServiceRef, from: Outlet): Outlet | null;
  /** Do copies of other services' requests leave there? */
  isCopy(service: ExternalService): boolean;
  /** Does some rule let a request upgrade its connection there? */
  upgrades(service: ExternalService): boolean;
}

export function createOutlets(set: PolicySet): Outlets {
  const all = set.services.flatMap(outletsOf);
  const byListener = Map.groupBy(all, listenerName);
  const listeners = [...listenersOf(set.services).values()].filter((each) => byListener.has(listenerName(each)));
  const upgrading = new Set(
    set.services.filter((service) => openingsOf(set, service).some(({ rule }) => rule.upgrades.length > 0)),
  );
  return {
    all,
    listeners,
    at: (listener) => byListener.get(listenerName(listener)) ?? [],
    routed(ref, from) {
      const service = set.services.find(({ scope, name }) => scope === ref.scope && name === ref.name);
      const host = service === undefined ? null : routedHost(service, from.host);
      return (
        all.find((each) => each.service === service && each.host === host && each.dialled === from.dialled) ?? null
      );
    },
    isCopy: ({ scope, name }) =>
      set.services.some(({ mirror }) => mirror?.service.scope === scope && mirror.service.name === name),
    upgrades: (service) => upgrading.has(service),
  };
}

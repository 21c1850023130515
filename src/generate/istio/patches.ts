import type { PolicySet } from "../../policy/model.ts";
import { typed } from "../envoy-parts/typed.ts";
import { type IstioObject, istioObject } from "./objects.ts";

/** Changes of the egress gateway's Envoys that Istio's API has no word for. */
export function envoyFilter(
  set: PolicySet,
  name: string,
  configPatches: readonly object[],
  // After whatever Istio itself and mesh-wide filters do.
  priority = 10,
): IstioObject {
  const { name: gateway, namespace, selector } = set.gateway;
  return istioObject("EnvoyFilter", `${gateway}-${name}`, namespace, {
    workloadSelector: { labels: selector },
    priority,
    configPatches,
  });
}

/** A change of one HTTP filter, wherever the gateway has it, or on one port. */
export function httpFilter(name: string, operation: string, value: object, portNumber?: number): object {
  const filter = { name: "envoy.filters.network.http_connection_manager", subFilter: { name } };
  return {
    applyTo: "HTTP_FILTER",
    match: {
      context: "GATEWAY",
      listener: { ...(portNumber === undefined ? {} : { portNumber }), filterChain: { filter } },
    },
    patch: { operation, value },
  };
}

/** A change of one network filter of a listener (of one chain of it, if its SNI is given). */
export function networkFilter(
  name: string,
  type: string,
  value: object,
  where: { readonly portNumber?: number; readonly sni?: string } = {},
): object {
  return {
    applyTo: "NETWORK_FILTER",
    match: inChain(name, where),
    patch: { operation: "MERGE", value: { typed_config: typed(type, value) } },
  };
}

/** Matches a network filter of a listener (of one chain of it, if its SNI is given). */
export function inChain(
  name: string,
  { portNumber, sni }: { readonly portNumber?: number; readonly sni?: string },
): object {
  const filterChain = { ...(sni === undefined ? {} : { sni }), filter: { name } };
  return { context: "GATEWAY", listener: { ...(portNumber === undefined ? {} : { portNumber }), filterChain } };
}

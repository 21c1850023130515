import type { ExternalService, PolicySet } from "../../policy/model.ts";
import { namespacesOf } from "../../policy/visibility.ts";
import { isTls, isWildcard } from "../services.ts";

/** A service that an ASMEgressTrafficPolicy can hold, or why it cannot. */
export type Expressible =
  | { readonly service: ExternalService; readonly namespaces: readonly string[] }
  | { readonly service: ExternalService; readonly reason: string };

/**
 * What ASMEgressTrafficPolicy can say of a service without saying it more weakly: `from` is a namespace, `to` is hosts
 * and a port, and its `httpsUpgrade` has no fields for names in the certificate, CA or TLS version.
 */
export function express(set: PolicySet, service: ExternalService): Expressible {
  const reason = reasonAgainst(set, service);
  if (reason !== null) return { service, reason };
  const namespaces = namespacesOf(set, service);
  if (namespaces === null) return { service, reason: "any namespace may reach it, and `from` names one" };
  if (namespaces.length === 0) return { service, reason: "no rule lets anybody reach it" };
  return { service, namespaces };
}

function reasonAgainst(set: PolicySet, service: ExternalService): string | null {
  const { hosts, ports, tls, addresses, connections, mirror, split, internal } = service;
  if (hosts.some(isWildcard)) return "`hosts` holds no wildcards";
  if (internal) return "it lies inside the cluster's networks";
  if (addresses.length > 0 || ports.some(({ protocol }) => protocol === "TCP")) {
    return "`to` has no addresses, so TCP would open a port to every address";
  }
  if (tls !== null && tls.originate !== "none" && !ports.every(({ protocol }) => isTls(protocol))) {
    return "`httpsUpgrade` cannot say which names the certificate must have";
  }
  if (!ports.every(({ protocol }) => isTls(protocol))) return "its requests are told to the authorizer by route";
  if (connections !== null) return "`to` has no connection settings";
  if (mirror !== null || split.length > 0) return "`to` neither mirrors nor splits";
  const used = set.services.some((other) =>
    [other.mirror, ...other.split].some(
      (target) => target?.service.scope === service.scope && target.service.name === service.name,
    ),
  );
  return used ? "another service mirrors or splits to it" : null;
}

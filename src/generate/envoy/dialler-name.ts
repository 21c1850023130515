import { serviceTitle } from "../services.ts";
import type { AddressRule } from "./address-check.ts";
import type { Outlet } from "./outlet.ts";
import type { EnvoySettings } from "./settings.ts";

/**
 * The listener inside this Envoy that names an outlet's host. Application TLS shares one by port, since it names its host
 * itself; so do the hosts of a wildcard, by the name that the gateway's own TLS says.
 */
export function namingName({ kind, service, host, dialled, port }: Outlet): string {
  return `${kind === "tls" ? `to/tls/${dialled}` : `to/${host}/${port}`}${variant(service)}`;
}

/** The listener inside this Envoy that looks it up: one for all that may lead to the same addresses. */
export function lookUpName({ service }: Outlet): string {
  return `look-up${variant(service)}`;
}

/** The listener inside this Envoy that dials it. */
export function diallerName({ service }: Outlet): string {
  return `dial${variant(service)}`;
}

function variant(service: Outlet["service"]): string {
  if (service.addresses.length > 0) return `/${serviceTitle(service)}`;
  return service.internal ? "/internal" : "";
}

/** Internal services may lead anywhere; services with addresses to no others. */
export function addressRule({ guardedRanges, standIn }: EnvoySettings, { service }: Outlet): AddressRule {
  const { addresses, internal } = service;
  const listed = [...addresses, ...(standIn === null ? [] : [standIn.address])];
  return { listed: addresses.length === 0 ? null : listed, guarded: internal ? [] : guardedRanges };
}

import type { ExternalService, ServiceRef } from "../policy/model.ts";

/** A name for objects of a service: a DNS subdomain, unique among services, since neither part holds a dot. */
export function objectName({ scope, name }: ServiceRef): string {
  return scope === "" ? name : `${name}.${scope}`;
}

/** `name`, or `namespace/name`: how people name a service. */
export function serviceTitle({ scope, name }: ServiceRef): string {
  return scope === "" ? name : `${scope}/${name}`;
}

export function isWildcard(host: string): boolean {
  return host.startsWith("*.");
}

/** The host, or what stands after the `*.` of a wildcard. */
export function hostSuffix(host: string): string {
  return isWildcard(host) ? host.slice(2) : host;
}

/** Ports that carry HTTP as the application dials them. */
export function isHttp(protocol: string): boolean {
  return protocol === "HTTP" || protocol === "GRPC";
}

/** Ports on which the application itself speaks TLS. */
export function isTls(protocol: string): boolean {
  return protocol === "HTTPS" || protocol === "TLS";
}

/** The host by which traffic for `host` of another service goes to this one: the same, or else its only one; null if neither. */
export function routedHost(service: ExternalService, host: string): string | null {
  if (service.hosts.includes(host)) return host;
  const [only, ...others] = service.hosts;
  return only === undefined || others.length > 0 || isWildcard(only) ? null : only;
}

/** Ports on which a service is reached outside, after whatever TLS the mesh adds. Sorted. */
export function upstreamPorts({ ports, tls }: ExternalService): readonly number[] {
  const originates = tls !== null && tls.originate !== "none";
  const numbers = ports.map(({ number, protocol }) => (originates && isHttp(protocol) ? tls.port : number));
  return [...new Set(numbers)].sort((a, b) => a - b);
}

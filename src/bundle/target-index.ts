import type { ExternalService, PortProtocol, ServiceRef } from "../policy/model.ts";
import { encodeText } from "./byte-writer.ts";
import { hashBytesReversed, hashEnd } from "./hash.ts";
import { LAYOUT } from "./layout.ts";

/** Everything the engine wants to know of one host pattern. */
export interface HostEntry {
  readonly wildcard: boolean;
  /** The host, or a wildcard's suffix without `*.`. */
  readonly key: Uint8Array;
  internal: boolean;
  /** The target id of rules that name this pattern in `hosts`, or NONE. */
  target: number;
  readonly owners: { port: number; protocol: number; service: number; scope: number }[];
}

/** Targets are what rules aim at: everything (0), each service, each pattern a rule names. */
export interface TargetIndex {
  serviceTarget(service: ServiceRef): number;
  hostTarget(pattern: string): number;
  hosts(): readonly HostEntry[];
  count(): number;
}

const PROTOCOLS: Readonly<Record<PortProtocol, number>> = {
  HTTP: LAYOUT.PROTOCOL_HTTP,
  GRPC: LAYOUT.PROTOCOL_GRPC,
  TLS: LAYOUT.PROTOCOL_TLS,
  HTTPS: LAYOUT.PROTOCOL_TLS,
  TCP: LAYOUT.PROTOCOL_TCP,
};

export function createTargetIndex(
  services: readonly ExternalService[],
  namespaceNumber: (namespace: string) => number,
): TargetIndex {
  const hosts = new Map<string, HostEntry>();
  const serviceIds = new Map<string, number>();
  let count = 1 + services.length;

  function host(pattern: string): HostEntry {
    const known = hosts.get(pattern);
    if (known !== undefined) return known;
    const wildcard = pattern.startsWith("*.");
    const key = encodeText(wildcard ? pattern.slice(2) : pattern);
    const made: HostEntry = { wildcard, key, internal: false, target: LAYOUT.NONE, owners: [] };
    hosts.set(pattern, made);
    return made;
  }
  services.forEach((service, index) => {
    serviceIds.set(`${service.scope}/${service.name}`, 1 + index);
    const scope = service.scope === "" ? 0 : namespaceNumber(service.scope);
    for (const pattern of service.hosts) {
      const entry = host(pattern);
      if (service.internal && !entry.wildcard) entry.internal = true;
      for (const { number, protocol } of service.ports) {
        entry.owners.push({ port: number, protocol: PROTOCOLS[protocol], service: index, scope });
      }
    }
  });
  return {
    serviceTarget(service) {
      const id = serviceIds.get(`${service.scope}/${service.name}`);
      if (id === undefined) throw new RangeError(`service ${service.scope}/${service.name} is not in the policy set`);
      return id;
    },
    hostTarget(pattern) {
      const entry = host(pattern);
      if (entry.target === LAYOUT.NONE) entry.target = count++;
      return entry.target;
    },
    hosts: () => [...hosts.values()],
    count: () => count,
  };
}

/** The ended hash by which the engine looks a pattern up. */
export function hostHash(seed: number, entry: HostEntry): number {
  return hashEnd(hashBytesReversed(seed, entry.key), entry.wildcard ? 1 : 0, 0);
}

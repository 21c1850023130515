import { getDomain } from "tldts";
import { coveringPatterns } from "../policy/host-pattern.ts";
import type { HostPattern } from "../policy/model.ts";
import type { Claim } from "./draft.ts";
import { createNames } from "./names.ts";

/** A service made of claims: hosts that are all reached in the same way. */
export interface DraftService {
  readonly name: string;
  readonly hosts: readonly HostPattern[];
  readonly claims: readonly Claim[];
}

/** The claims that count. */
export interface Settled {
  readonly claims: readonly Claim[];
  /** Those that say something else than an earlier one about the same host and port. */
  readonly lost: readonly Claim[];
}

/**
 * One claim for each pattern and port: of two that say different things the first counts. A host under a wildcard that is
 * reached in the same way needs no claim of its own.
 */
export function settleClaims(claims: readonly Claim[]): Settled {
  const byPort = new Map<number, Map<HostPattern, Claim>>();
  const lost: Claim[] = [];
  for (const claim of claims) {
    const owners = byPort.get(claim.port) ?? new Map<HostPattern, Claim>();
    byPort.set(claim.port, owners);
    const owner = owners.get(claim.pattern);
    if (owner === undefined) owners.set(claim.pattern, claim);
    else if (wayOf(owner) !== wayOf(claim)) lost.push(claim);
  }
  const kept = [...byPort.values()].flatMap((owners) => {
    return [...owners.values()].filter((claim) => {
      // What owns the host where the claim is left out: the longest wildcard over it.
      const above = [...coveringPatterns(claim.pattern)].find((each) => each !== claim.pattern && owners.has(each));
      const other = above === undefined ? undefined : owners.get(above);
      return other === undefined || wayOf(other) !== wayOf(claim) || claim.apart !== undefined;
    });
  });
  return { claims: kept, lost };
}

/** Settled claims as services: hosts of one domain with the same ports, reached in the same way. Sorted by name. */
export function servicesOf(claims: readonly Claim[]): readonly DraftService[] {
  const byHost = new Map<HostPattern, Claim[]>();
  for (const claim of claims) byHost.set(claim.pattern, [...(byHost.get(claim.pattern) ?? []), claim]);
  const groups = new Map<string, { domain: string; hosts: HostPattern[]; claims: readonly Claim[] }>();
  for (const [host, own] of [...byHost].sort(([a], [b]) => (a < b ? -1 : 1))) {
    // A service says once how HTTP becomes HTTPS, whatever the port, and once which addresses are its own.
    const parts = new Map<string, Claim[]>();
    const sorted = own.toSorted((a, b) => a.port - b.port);
    const tls = sorted.find(isRequests)?.tls ?? null;
    for (const claim of sorted) {
      const way = JSON.stringify([isRequests(claim) ? claim.tls : tls, claim.addresses]);
      parts.set(way, [...(parts.get(way) ?? []), claim]);
    }
    for (const part of parts.values()) {
      const domain = getDomain(host.replace(/^\*\./, ""), { allowPrivateDomains: true }) ?? host;
      const key = JSON.stringify([domain, part.map((claim) => [claim.port, wayOf(claim)])]);
      const group = groups.get(key) ?? { domain, hosts: [], claims: part };
      groups.set(key, group);
      group.hosts.push(host);
    }
  }
  const name = createNames();
  return [...groups.values()]
    .flatMap(({ domain, hosts, claims: own }) =>
      slices(hosts, HOSTS_A_SERVICE).map((some) => ({ name: name(domain), hosts: some, claims: own })),
    )
    .sort((a, b) => (a.name < b.name ? -1 : 1));
}

const HOSTS_A_SERVICE = 500;

/** A list in parts of at most `most`. */
export function slices<T>(list: readonly T[], most: number): readonly (readonly T[])[] {
  return Array.from({ length: Math.ceil(list.length / most) }, (_, i) => list.slice(i * most, (i + 1) * most));
}

/** Is this port one of requests, rather than of connections that nobody looks into? */
export function isRequests({ protocol }: Pick<Claim, "protocol">): boolean {
  return protocol === "HTTP" || protocol === "GRPC";
}

function wayOf({ protocol, tls, addresses }: Claim): string {
  return JSON.stringify([protocol, tls, addresses]);
}

import { coveringPatterns, patternCovers } from "../policy/host-pattern.ts";
import type { HostPattern } from "../policy/model.ts";
import type { Claim, DraftRule } from "./draft.ts";
import { isRequests, slices } from "./registry.ts";

const HOSTS_A_TARGET = 500;

/** One `to` of a rule's document. */
export interface TargetSpec {
  readonly hosts: readonly HostPattern[];
  readonly ports?: readonly number[];
  readonly methods?: readonly string[];
  readonly paths?: readonly string[];
  readonly headers?: Readonly<Record<string, readonly string[]>>;
}

/** Finds the claims that have a host in common with a pattern. */
export type ClaimIndex = (pattern: HostPattern) => readonly Claim[];

/** Claims by host, so that a rule is not held against each of them. */
export function indexClaims(claims: readonly Claim[]): ClaimIndex {
  const byPattern = new Map<HostPattern, Claim[]>();
  const below = new Map<HostPattern, Claim[]>();
  for (const claim of claims) {
    push(byPattern, claim.pattern, claim);
    for (const above of coveringPatterns(claim.pattern)) if (above !== claim.pattern) push(below, above, claim);
  }
  return (pattern) => [
    ...[...coveringPatterns(pattern)].flatMap((each) => byPattern.get(each) ?? []),
    ...(below.get(pattern) ?? []),
  ];
}

/**
 * What a rule opens or closes, in hosts and ports of the registry. A wildcard of the rule also names the hosts below it
 * that are registered on their own, since an allow reaches a host by the pattern that owns it. Empty = nothing.
 */
export function targetsOf(rule: DraftRule, index: ClaimIndex): readonly TargetSpec[] {
  const conditions = {
    ...(rule.methods === null ? {} : { methods: rule.methods }),
    ...(rule.paths === null ? {} : { paths: rule.paths }),
    ...(rule.headers === null ? {} : { headers: rule.headers }),
  };
  const onRequests = Object.keys(conditions).length > 0;
  const aims = rule.aims ?? [];
  if (rule.effect === "deny" && !onRequests && aims.every(({ ports }) => ports === null)) {
    // By text alone, so that it also holds for what is registered later.
    const hosts = aims.map(({ pattern }) => pattern).filter((pattern) => index(pattern).length > 0);
    return slices([...new Set(hosts)].sort(), HOSTS_A_TARGET).map((some) => ({ hosts: some }));
  }
  const byHost = new Map<HostPattern, Set<number>>();
  for (const { pattern, ports, protocol } of aims) {
    for (const claim of index(pattern)) {
      if (ports !== null && !ports.includes(claim.port)) continue;
      if (protocol !== null && protocol !== claim.protocol) continue;
      if (onRequests && !isRequests(claim)) continue;
      if (rule.effect === "allow" && claim.apart !== undefined && !patternCovers(claim.pattern, pattern)) continue;
      const host = patternCovers(pattern, claim.pattern) ? claim.pattern : pattern;
      byHost.set(host, (byHost.get(host) ?? new Set()).add(claim.port));
    }
  }
  const byPorts = new Map<string, HostPattern[]>();
  for (const [host, ports] of byHost) {
    const key = [...ports].sort((a, b) => a - b).join();
    byPorts.set(key, [...(byPorts.get(key) ?? []), host]);
  }
  return [...byPorts]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .flatMap(([ports, hosts]) =>
      slices(hosts.sort(), HOSTS_A_TARGET).map((some) => ({
        hosts: some,
        ports: ports.split(",").map(Number),
        ...conditions,
      })),
    );
}

function push<K, V>(map: Map<K, V[]>, key: K, value: V): void {
  const list = map.get(key);
  if (list === undefined) map.set(key, [value]);
  else list.push(value);
}

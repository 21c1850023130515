import { coveringPatterns } from "../../policy/host-pattern.ts";
import type { HostPattern } from "../../policy/model.ts";
import { type Item, push, type Side, type Subject, servicesAt } from "./side.ts";

/** Hosts that stand for each other: one host, all under a wildcard but for narrower ones, or (null) all that nobody names. */
export type HostAtom = HostPattern | null;

/** Whose requests to a host may be decided differently; elsewhere both sets say the same. */
export interface Touched {
  readonly atom: HostAtom;
  /** Null = everyone's. */
  readonly subjects: readonly Subject[] | null;
  /** Who registers the host differs, or what counts for all hosts. */
  readonly structure: boolean;
}

/**
 * The hosts to which some request may be decided differently, and whose requests. A decision follows from the identity, what
 * is registered for the host, the rules that both share, the fallback and the gateway's settings: where none of these
 * differs, neither does the decision.
 */
export function touchedHosts(
  old: Side,
  now: Side,
): { readonly atoms: readonly HostAtom[]; readonly touched: readonly Touched[] } {
  const atoms = hostAtoms(old, now);
  const under = new Map<HostPattern, HostAtom[]>();
  for (const atom of atoms) if (atom !== null) for (const each of coveringPatterns(atom)) push(under, each, atom);
  const subjects = new Map<HostAtom, Map<string, Subject>>();
  const touch = (atom: HostAtom, subject: Subject): void => {
    const known = subjects.get(atom) ?? new Map<string, Subject>();
    subjects.set(atom, known);
    known.set(subject.key, subject);
  };
  const everywhere = new Map<string, Subject>();
  for (const [item, side] of differing(old, now)) {
    for (const pattern of patternsOf(item, side) ?? [])
      for (const atom of under.get(pattern) ?? []) touch(atom, item.subject);
    if (patternsOf(item, side) === null) everywhere.set(item.subject.key, item.subject);
  }
  for (const subject of differingFallbacks(old, now)) everywhere.set(subject.key, subject);
  const wholly = gatewayText(old) !== gatewayText(now);
  const touched = atoms.flatMap((atom): Touched[] => {
    const structure = wholly || registryText(old, atom) !== registryText(now, atom);
    const found = [...(subjects.get(atom)?.values() ?? []), ...everywhere.values()];
    if (!structure && found.length === 0) return [];
    return [
      { atom, subjects: structure || found.some(({ selectors }) => selectors === null) ? null : found, structure },
    ];
  });
  return { atoms, touched };
}

function hostAtoms(old: Side, now: Side): readonly HostAtom[] {
  const named = [old, now].flatMap(({ services, byPattern, set }) => [
    ...services.keys(),
    ...byPattern.keys(),
    // Names under the cluster's domain are guarded; which these are may differ.
    ...[set.gateway.clusterDomain, `*.${set.gateway.clusterDomain}`],
  ]);
  return [...new Set(named), null];
}

/** Items that only one of the sets has. */
function differing(old: Side, now: Side): readonly (readonly [Item, Side])[] {
  const keys = [old, now].map(({ items }) => new Set(items.map(({ key }) => key)));
  return [
    ...old.items.filter(({ key }) => !keys[1]?.has(key)).map((item) => [item, old] as const),
    ...now.items.filter(({ key }) => !keys[0]?.has(key)).map((item) => [item, now] as const),
  ];
}

/** The patterns within which an item can bind; null = everywhere. */
function patternsOf({ service, pattern }: Item, { hostsOf }: Side): readonly HostPattern[] | null {
  if (service === null) return pattern === null ? null : [pattern];
  return hostsOf.get(service) ?? [];
}

/** Whose fallback may differ: members of groups of which only one set knows, as they are. */
function differingFallbacks(old: Side, now: Side): readonly Subject[] {
  const text = ({ subject, fallback, scope }: Side["fallbacks"][number]): string =>
    `${scope} ${fallback} ${subject.key}`;
  const [olds, nows] = [old, now].map(({ fallbacks }) => new Set(fallbacks.map(text)));
  return [
    ...old.fallbacks.filter((each) => !nows?.has(text(each))),
    ...now.fallbacks.filter((each) => !olds?.has(text(each))),
  ].map(({ subject }) => subject);
}

/** What counts for every request. */
function gatewayText({ set: { gateway, invalidNamespaces } }: Side): string {
  const { securityModel, trustDomains, federatedTrustDomains, clusterDomain, fallback } = gateway;
  const [own, ...aliases] = trustDomains;
  return JSON.stringify([
    ...[securityModel, own, aliases.toSorted(), federatedTrustDomains.toSorted(), clusterDomain, fallback],
    invalidNamespaces,
  ]);
}

/** Who registers the hosts of an atom, for whom, and what they speak. */
function registryText(side: Side, atom: HostAtom): string {
  return JSON.stringify(
    servicesAt(side, atom)
      .map(([pattern, { scope, name, ports, internal }]) => [pattern, scope, name, ports, internal])
      .sort(),
  );
}

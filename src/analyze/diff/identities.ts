import type { Fallback, IdentitySelector, PolicySet } from "../../policy/model.ts";
import { unlike } from "../atoms/unlike.ts";
import type { Side, Subject } from "./side.ts";

/** A workload that stands for all that no selector tells apart from it. */
export interface Identity {
  readonly spiffeId: string;
  readonly domain: string;
  readonly path: string;
  /** Of own-domain identities `/ns/<ns>/sa/<sa>`; whether the domain is the own one is each set's to say. */
  readonly namespace: string | null;
  /** What it stands for: itself, or all of a selector that no narrower one names. */
  readonly stands: IdentitySelector;
}

/** How a set takes a trust domain: the own one by whatever name, a partner's, or none of its. */
export function roleOf({ gateway }: PolicySet, domain: string): string {
  if (gateway.trustDomains.includes(domain)) return "own";
  return gateway.federatedTrustDomains.includes(domain) ? domain : "foreign";
}

/** Which identities a subject of one set holds. */
export type Holds = (subject: Subject, identity: Identity) => boolean;

interface Index {
  readonly all: boolean;
  /** Paths by trust domain. */
  readonly ids: ReadonlyMap<string, ReadonlySet<string>>;
  readonly prefixes: readonly { readonly trustDomain: string; readonly start: string }[];
  readonly namespaces: ReadonlySet<string>;
  readonly domains: ReadonlySet<string>;
}

export function createHolds({ set }: Side): Holds {
  const indexes = new Map<Subject, Index>();
  const own = set.gateway.trustDomains[0] ?? "";
  return (subject, { domain, path, namespace }) => {
    const role = roleOf(set, domain);
    if (role === "foreign") return false;
    const known = role === "own" ? own : domain;
    const only = subject.selectors?.length === 1 ? subject.selectors[0] : undefined;
    if (only?.kind === "id") return only.path === path && only.trustDomain === known;
    let index = indexes.get(subject);
    if (index === undefined) {
      index = indexOf(subject);
      indexes.set(subject, index);
    }
    const { all, ids, prefixes, namespaces, domains } = index;
    if (all || domains.has(known) || ids.get(known)?.has(path)) return true;
    if (role === "own" && namespace !== null && namespaces.has(namespace)) return true;
    return prefixes.some(({ trustDomain, start }) => trustDomain === known && path.startsWith(start));
  };
}

function indexOf({ selectors }: Subject): Index {
  const ids = new Map<string, Set<string>>();
  const prefixes: Index["prefixes"][number][] = [];
  const namespaces = new Set<string>();
  const domains = new Set<string>();
  for (const each of selectors ?? []) {
    if (each.kind === "id") {
      const paths = ids.get(each.trustDomain) ?? new Set();
      ids.set(each.trustDomain, paths.add(each.path));
    } else if (each.kind === "prefix") prefixes.push({ trustDomain: each.trustDomain, start: `${each.path}/` });
    else if (each.kind === "namespace") namespaces.add(each.namespace);
    else domains.add(each.trustDomain);
  }
  return { all: selectors === null, ids, prefixes, namespaces, domains };
}

/** The namespace of a path of the form `/ns/<ns>/sa/<sa>`. */
function namespaceOf(path: string): string | null {
  return /^\/ns\/([^/]+)\/sa\/[^/]+$/.exec(path)?.[1] ?? null;
}

/** The fallback that counts for a workload: the strictest of its groups', else the gateway's. */
export function fallbackOf(side: Side, holds: Holds, identity: Identity): Fallback {
  if (side.fallbacks.length === 0) return side.set.gateway.fallback;
  const found = side.fallbacks.filter(({ subject }) => holds(subject, identity)).map(({ fallback }) => fallback);
  return STRICTEST.find((each) => found.includes(each)) ?? side.set.gateway.fallback;
}

const STRICTEST: readonly Fallback[] = ["deny", "report", "allow"];

/** Selectors of both sets that tell identities apart, and namespaces whose documents only their workloads see. */
export interface Distinctions {
  readonly selectors: Iterable<IdentitySelector>;
  readonly namespaces: Iterable<string>;
}

/** Draws the identities that a comparison of two sets needs to look at. */
export interface Identities {
  /**
   * Identities of which every other is like one, as far as these selectors and namespaces go. Whatever paths there are, what
   * tells an identity from others is: the ID itself, its namespace, and the deepest prefix above it. So for each of these there
   * is one; those that turn out alike do no harm.
   */
  all(distinctions: Distinctions): readonly Identity[];
  /** Only those that selectors of IDs name. */
  named(selectors: Iterable<IdentitySelector>): readonly Identity[];
}

export function createIdentities(sets: readonly [PolicySet, PolicySet]): Identities {
  const domains = domainsOf(sets);
  const ownNames = sets.map(({ gateway }) => gateway.trustDomains[0] ?? "");
  const ownDomains = domains.filter((each) => sets.some((set) => roleOf(set, each) === "own"));
  // An ID of the own domain is meant under each of its names.
  const namesOf = (domain: string): readonly string[] => (ownNames.includes(domain) ? ownDomains : [domain]);
  const pathsOf = ({ selectors, namespaces }: Distinctions): ReadonlyMap<string, Paths> => {
    const paths = new Map(domains.map((each): [string, Paths] => [each, noPaths()]));
    for (const each of selectors) {
      if (each.kind === "trustDomain") continue;
      for (const name of each.kind === "namespace" ? ownDomains : namesOf(each.trustDomain)) {
        const at = paths.get(name);
        if (each.kind === "namespace") at?.namespaces.add(each.namespace);
        else if (each.kind === "id") at?.ids.add(each.path);
        else at?.prefixes.add(each.path);
      }
    }
    for (const each of namespaces) for (const name of ownDomains) paths.get(name)?.namespaces.add(each);
    return paths;
  };
  return {
    all: (distinctions) => [...pathsOf(distinctions)].flatMap(([domain, paths]) => identitiesOf(domain, paths)),
    named: (selectors) =>
      [...pathsOf({ selectors, namespaces: [] })].flatMap(([domain, { ids }]) => namedIdentities(domain, ids)),
  };
}

interface Paths {
  readonly ids: Set<string>;
  readonly prefixes: Set<string>;
  readonly namespaces: Set<string>;
}

function noPaths(): Paths {
  return { ids: new Set(), prefixes: new Set(), namespaces: new Set() };
}

/** One trust domain for each way in which both sets take one; own names first. */
function domainsOf(sets: readonly [PolicySet, PolicySet]): readonly string[] {
  const named = sets.flatMap(({ gateway }) => [...gateway.trustDomains, ...gateway.federatedTrustDomains]);
  const foreign = unlike(new Set(named), "elsewhere.example");
  const byRoles = new Map<string, string>();
  for (const domain of [...named, foreign]) {
    const roles = sets.map((set) => roleOf(set, domain)).join();
    if (!byRoles.has(roles)) byRoles.set(roles, domain);
  }
  return [...byRoles.values()];
}

function identity(domain: string, path: string, stands: IdentitySelector): Identity {
  return { spiffeId: `spiffe://${domain}${path}`, domain, path, namespace: namespaceOf(path), stands };
}

function namedIdentities(domain: string, ids: Iterable<string>): Identity[] {
  return [...ids].map((path) => identity(domain, path, { kind: "id", trustDomain: domain, path }));
}

function identitiesOf(domain: string, { ids, prefixes, namespaces }: Paths): Identity[] {
  const words = new Set([...ids, ...prefixes].flatMap((path) => path.split("/")).concat(...namespaces));
  const free = unlike(words, "other");
  const made = namedIdentities(domain, ids);
  const add = (path: string, stands: IdentitySelector): void => {
    made.push(identity(domain, path, stands));
  };
  for (const namespace of namespaces) add(`/ns/${namespace}/sa/${free}`, { kind: "namespace", namespace });
  for (const path of prefixes) {
    const stands: IdentitySelector = { kind: "prefix", trustDomain: domain, path };
    add(`${path}/${free}`, stands);
    // The first may be a workload of a namespace, the second is none.
    add(`${path}/${free}/${free}`, stands);
  }
  const whole: IdentitySelector = { kind: "trustDomain", trustDomain: domain };
  add(`/ns/${free}/sa/${free}`, whole);
  add(`/${free}`, whole);
  add("", whole);
  return made;
}

import { coveringPatterns } from "../../policy/host-pattern.ts";
import type { IdentitySelector } from "../../policy/model.ts";
import type { ChangeClass } from "./change-class.ts";
import type { Difference } from "./diff.ts";
import type { Identity } from "./identities.ts";
import { ANY, type PartWords, partWords, type Told } from "./part-words.ts";
import { push } from "./side.ts";

/** What a class of requests is, in words. */
export interface ClassWords extends PartWords {
  readonly from: Told;
  /** Hosts, and wildcards without the narrower patterns in `except`. */
  readonly hosts: Told;
  readonly ports: Told;
}

export const EVERYONE = "everyone";

/** Puts classes of a difference into words. */
export function createClassWords({ atoms }: Difference): (each: ChangeClass) => ClassWords {
  const hostWords = createHostWords(atoms);
  // Boxes of the same text read the same.
  const known = new Map<string, PartWords>();
  return (each) => {
    const parts = known.get(each.box.text) ?? partWords(each.box.parts);
    known.set(each.box.text, parts);
    return {
      from: identityWords(each.identities, each.among),
      hosts: hostWords(each.hosts),
      ports: portWords(each),
      ...parts,
    };
  };
}

function identityWords(identities: readonly Identity[], among: readonly Identity[]): Told {
  // Nothing is within an ID or like it.
  if (identities.every(({ stands }) => stands.kind === "id")) {
    const ids = identities.map(({ spiffeId }) => spiffeId);
    return { of: ids.length < 2 ? ids : ids.sort(), except: [] };
  }
  if (identities.length === among.length && identities.some(({ stands }) => stands.kind === "trustDomain")) {
    return { of: [EVERYONE], except: [] };
  }
  const told = new Set(identities);
  const others = among.filter((each) => !told.has(each));
  const wide = identities.filter(({ stands }) => stands.kind !== "id");
  const own = identities.filter((each) => !wide.some((one) => liesIn(each, one)));
  const except = others.filter((each) => wide.some((one) => liesIn(each, one)));
  const outermost = except.filter((each) => !except.some((one) => liesIn(each, one)));
  return { of: textsOf(own, others), except: textsOf(outermost, identities) };
}

function liesIn(inner: Identity, outer: Identity): boolean {
  if (inner.domain !== outer.domain) return false;
  const { stands } = outer;
  const same = isLike(inner, outer);
  switch (stands.kind) {
    case "id":
      return false;
    case "namespace":
      return !same && inner.stands.kind === "id" && inner.namespace === stands.namespace;
    case "prefix":
      return !same && `${inner.path}/`.startsWith(`${stands.path}/`) && inner.stands.kind !== "trustDomain";
    default:
      return !same;
  }
}

/** @param others those that are not told of: where they stand for a part of the same selector, only the other part is meant */
function textsOf(identities: readonly Identity[], others: readonly Identity[]): readonly string[] {
  const text = (each: Identity): string =>
    others.some((one) => isLike(one, each)) ? partText(each) : selectorText(each.stands, each.domain);
  return [...new Set(identities.map(text))].sort();
}

/** Do both stand for the same selector? */
function isLike(one: Identity, other: Identity): boolean {
  return (
    one.domain === other.domain && one.stands.kind === other.stands.kind && nameOf(one.stands) === nameOf(other.stands)
  );
}

/** What tells a selector from others of its kind, in its trust domain. */
function nameOf(selector: IdentitySelector): string {
  if (selector.kind === "namespace") return selector.namespace;
  return selector.kind === "trustDomain" ? selector.trustDomain : selector.path;
}

/** Of what a selector holds and no narrower one does: workloads of namespaces, or other IDs, or the one without a path. */
function partText({ path, namespace, spiffeId, stands, domain }: Identity): string {
  if (path === "") return spiffeId;
  return `${namespace === null ? "other IDs" : "workloads of namespaces"} in ${selectorText(stands, domain)}`;
}

function selectorText(selector: IdentitySelector, domain: string): string {
  switch (selector.kind) {
    case "id":
      return `spiffe://${domain}${selector.path}`;
    case "prefix":
      return `spiffe://${domain}${selector.path}/*`;
    case "namespace":
      return `namespace ${selector.namespace}`;
    default:
      return `trust domain ${selector.trustDomain}`;
  }
}

function createHostWords(atoms: Difference["atoms"]): (hosts: ChangeClass["hosts"]) => Told {
  const known = new Set(atoms);
  /** The narrowest of the atoms over each, where there is one. */
  const over = new Map<string, string>();
  const under = new Map<string, string[]>();
  for (const each of atoms) {
    if (each === null) continue;
    for (const wider of coveringPatterns(each)) {
      if (wider === each || !known.has(wider)) continue;
      over.set(each, wider);
      push(under, wider, each);
      break;
    }
  }
  const wordsOf = (hosts: ChangeClass["hosts"]): Told => {
    const own = new Set(hosts);
    if (own.has(null))
      return { of: [ANY], except: atoms.filter((each): each is string => each !== null && !own.has(each)).sort() };
    const named = hosts.filter((each) => each !== null);
    // A narrower pattern that changes alike needs no word of its own.
    const of = named.filter((each) => !own.has(over.get(each) ?? ""));
    const except = named.flatMap((each) => under.get(each) ?? []).filter((each) => !own.has(each));
    return { of: of.sort(), except: [...new Set(except)].sort() };
  };
  // Most classes are of one host, and a host has many of them.
  const single = new Map<string, Told>();
  return (hosts) => {
    const [only] = hosts;
    if (hosts.length !== 1 || typeof only !== "string") return wordsOf(hosts);
    const told = single.get(only) ?? wordsOf(hosts);
    single.set(only, told);
    return told;
  };
}

function portWords({ ports, otherThan }: ChangeClass): Told {
  if (otherThan !== null) return { of: [ANY], except: otherThan.map(String) };
  return { of: ports.map(String), except: [] };
}

import { coveringPatterns } from "../../policy/host-pattern.ts";
import type { IdentitySelector } from "../../policy/model.ts";
import type { ChangeClass } from "./change-class.ts";
import type { Difference } from "./diff.ts";
import type { Identity } from "./identities.ts";
import { ANY, type PartWords, partWords, type Told } from "./part-words.ts";

/** What a class of requests is, in words. */
export interface ClassWords extends PartWords {
  readonly from: Told;
  /** Hosts, and wildcards without the narrower patterns in `except`. */
  readonly hosts: Told;
  readonly ports: Told;
}

export const EVERYONE = "everyone";

/** Puts a class into words. */
export function classWords(each: ChangeClass, { atoms }: Difference): ClassWords {
  return {
    from: identityWords(each.identities, each.among),
    hosts: hostWords(each, atoms),
    ports: portWords(each),
    ...partWords(each.box.parts),
  };
}

function identityWords(identities: readonly Identity[], among: readonly Identity[]): Told {
  if (identities.length === among.length && identities.some(({ stands }) => stands.kind === "trustDomain")) {
    return { of: [EVERYONE], except: [] };
  }
  const others = among.filter((each) => !identities.includes(each));
  const wide = identities.filter(({ stands }) => stands.kind !== "id");
  const own = identities.filter((each) => !wide.some((one) => liesIn(each, one)));
  const except = others.filter((each) => wide.some((one) => liesIn(each, one)));
  const outermost = except.filter((each) => !except.some((one) => liesIn(each, one)));
  return { of: textsOf(own, others), except: textsOf(outermost, identities) };
}

function liesIn(inner: Identity, outer: Identity): boolean {
  if (inner.domain !== outer.domain) return false;
  const { stands } = outer;
  const same = JSON.stringify(inner.stands) === JSON.stringify(stands);
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

function isLike(one: Identity, other: Identity): boolean {
  return one.domain === other.domain && JSON.stringify(one.stands) === JSON.stringify(other.stands);
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

function hostWords({ hosts }: ChangeClass, atoms: Difference["atoms"]): Told {
  const own = new Set(hosts);
  const under = (atom: string): readonly string[] =>
    atom.startsWith("*.")
      ? atoms.filter((each): each is string => each !== null && each !== atom && nearestOver(each, atoms) === atom)
      : [];
  const named = hosts.filter((each) => each !== null);
  // A narrower pattern that changes alike needs no word of its own.
  const of = named.filter((each) => !own.has(nearestOver(each, atoms) ?? ""));
  const except = named.flatMap((each) => under(each)).filter((each) => !own.has(each));
  if (own.has(null))
    return { of: [ANY], except: atoms.filter((each): each is string => each !== null && !own.has(each)).sort() };
  return { of: of.sort(), except: [...new Set(except)].sort() };
}

function nearestOver(pattern: string, atoms: Difference["atoms"]): string | null {
  const [, ...wider] = coveringPatterns(pattern);
  return wider.find((each) => atoms.includes(each)) ?? null;
}

function portWords({ ports, otherThan }: ChangeClass): Told {
  if (otherThan !== null) return { of: [ANY], except: otherThan.map(String) };
  return { of: ports.map(String), except: [] };
}

import type { GroupRef, IdentityGroup, IdentitySelector, PolicySet, Scope, SubjectSelector } from "../policy/model.ts";
import { narrowed } from "../policy/narrowed.ts";
import { encodeText } from "./byte-writer.ts";
import { hashBytes, hashEnd } from "./hash.ts";
import { LAYOUT } from "./layout.ts";

/** A key under which an identity finds subjects: a trust domain, a namespace, an exact path or a path prefix. */
export interface IdentityEntry {
  readonly kind: number;
  readonly key: Uint8Array;
  /** Trust domains and paths: the domain's number. Namespaces: the namespace's number. */
  readonly number: number;
  flags: number;
  readonly subjects: Set<number>;
}

/** Subjects are what rules speak of: every distinct selector and every group has one id. */
export interface SubjectIndex {
  /** The subject id of a selector in a rule of a policy that speaks for `scope` (`""` = for all); null = everyone. */
  subject(selector: SubjectSelector | null, scope: Scope): number;
  groupSubject(group: Pick<IdentityGroup, "scope" | "name">): number;
  /** The subjects that are a namespace's part of a group. */
  groupParts(): readonly { readonly group: GroupRef; readonly subject: number }[];
  namespaceNumber(namespace: string): number;
  entries(): readonly IdentityEntry[];
  /** The subject that stands for everyone, or null when no rule speaks of everyone. */
  everyone(): number | null;
  count(): number;
  /** Most path segments a prefix look-up needs, plus one; 0 = there are no prefixes. */
  prefixDepth(): number;
}

const { ID_TRUST_DOMAIN, ID_NAMESPACE, ID_EXACT, ID_PREFIX, IE_FLAG_OWN, IE_FLAG_INVALID } = LAYOUT;

export function createSubjectIndex(set: PolicySet): SubjectIndex {
  const entries = new Map<string, IdentityEntry>();
  const subjects = new Map<string, number>();
  const namespaces = new Map<string, number>();
  const domains = new Map<string, number>();
  let prefixDepth = 0;
  let everyone: number | null = null;
  let count = 0;

  const own = set.gateway.trustDomains[0] ?? "";
  function entry(kind: number, key: string, number: number): IdentityEntry {
    const id = `${kind}|${kind === ID_EXACT || kind === ID_PREFIX ? number : ""}|${key}`;
    const known = entries.get(id);
    if (known !== undefined) return known;
    const made: IdentityEntry = { kind, key: encodeText(key), number, flags: 0, subjects: new Set() };
    entries.set(id, made);
    return made;
  }
  for (const domain of set.gateway.trustDomains) {
    domains.set(domain, 0);
    entry(ID_TRUST_DOMAIN, domain, 0).flags = IE_FLAG_OWN;
  }
  for (const domain of set.gateway.federatedTrustDomains) {
    if (domains.has(domain)) continue;
    domains.set(domain, domains.size);
    entry(ID_TRUST_DOMAIN, domain, domains.get(domain) ?? 0);
  }
  const namespaceNumber = (namespace: string): number => {
    const known = namespaces.get(namespace);
    if (known !== undefined) return known;
    const number = namespaces.size + 1;
    namespaces.set(namespace, number);
    entry(ID_NAMESPACE, namespace, number);
    return number;
  };
  for (const namespace of set.invalidNamespaces) {
    const number = namespaceNumber(namespace);
    entry(ID_NAMESPACE, namespace, number).flags = IE_FLAG_INVALID;
  }

  /** The entries whose identities a selector means. */
  function entriesOf(selector: IdentitySelector): readonly IdentityEntry[] {
    if (selector.kind === "namespace") {
      return [entry(ID_NAMESPACE, selector.namespace, namespaceNumber(selector.namespace))];
    }
    if (selector.kind === "trustDomain") {
      const names = selector.trustDomain === own ? set.gateway.trustDomains : [selector.trustDomain];
      return names.map((name) => entry(ID_TRUST_DOMAIN, name, domains.get(name) ?? 0));
    }
    const domain = domains.get(selector.trustDomain);
    if (domain === undefined) return [];
    if (selector.kind === "id") return [entry(ID_EXACT, selector.path, domain)];
    prefixDepth = Math.max(prefixDepth, selector.path.split("/").length);
    return [entry(ID_PREFIX, selector.path, domain)];
  }
  function selectorKey(selector: SubjectSelector): string {
    if (selector.kind === "group") return `group|${selector.scope}|${selector.name}`;
    if (selector.kind === "namespace") return `namespace|${selector.namespace}`;
    if (selector.kind === "trustDomain") return `trustDomain|${selector.trustDomain}`;
    return `${selector.kind}|${selector.trustDomain}|${selector.path}`;
  }
  const groupsByName = new Map(set.groups.map((each) => [`${each.scope}/${each.name}`, each]));
  const parts: { readonly group: GroupRef; readonly subject: number }[] = [];
  /** Of a group, a namespace's policy means its own workloads only: others need not meet what it says. */
  function narrowedSubject(group: GroupRef, scope: Scope): number {
    const { members = [] } = groupsByName.get(`${group.scope}/${group.name}`) ?? {};
    const inside = members.flatMap((each) => narrowed(each, scope, own));
    if (inside.length === members.length && inside.every((each, i) => each === members[i])) return subject(group);
    const key = `${selectorKey(group)}|${scope}`;
    const known = subjects.get(key);
    if (known !== undefined) return known;
    const id = count++;
    subjects.set(key, id);
    parts.push({ group, subject: id });
    for (const member of inside) for (const e of entriesOf(member)) e.subjects.add(id);
    return id;
  }
  function subject(selector: SubjectSelector | null, scope: Scope = ""): number {
    if (selector === null) {
      everyone ??= count++;
      return everyone;
    }
    if (selector.kind === "group" && scope !== "") return narrowedSubject(selector, scope);
    const key = selectorKey(selector);
    const known = subjects.get(key);
    if (known !== undefined) return known;
    const id = count++;
    subjects.set(key, id);
    if (selector.kind !== "group") for (const e of entriesOf(selector)) e.subjects.add(id);
    return id;
  }
  for (const group of set.groups) {
    const id = subject({ kind: "group", scope: group.scope, name: group.name });
    for (const member of group.members) for (const e of entriesOf(member)) e.subjects.add(id);
  }
  return {
    subject,
    groupSubject: (group) => subject({ kind: "group", scope: group.scope, name: group.name }),
    groupParts: () => parts,
    namespaceNumber,
    entries: () => [...entries.values()],
    everyone: () => everyone,
    count: () => count,
    prefixDepth: () => prefixDepth,
  };
}

/** The ended hash by which the engine looks an entry up. */
export function identityHash(seed: number, entry: IdentityEntry): number {
  const numbered = entry.kind === ID_EXACT || entry.kind === ID_PREFIX;
  return hashEnd(hashBytes(seed, entry.key), entry.kind, numbered ? entry.number : 0);
}

import type { IdentitySelector, PolicySet, Scope, SubjectSelector } from "../../policy/model.ts";

/** Groups of more members are compared as a whole: with themselves and with everyone, not member by member. */
const EXPANDED_MEMBERS = 64;

/** A key by which rules about a selector are found. */
export type SubjectKey = string;

const EVERYONE: SubjectKey = "everyone";

/** Which selectors hold which. */
export interface SubjectCover {
  /** The key of a rule's selector; null = everyone. */
  key(selector: SubjectSelector | null): SubjectKey;
  /**
   * What a policy of `scope` means by a selector, as parts that are covered one by one: for each, the keys of selectors that
   * hold all of it. No parts = it means nobody.
   */
  parts(selector: SubjectSelector | null, scope: Scope): readonly (readonly SubjectKey[])[];
}

export function createSubjectCover(set: PolicySet): SubjectCover {
  const own = set.gateway.trustDomains[0] ?? "";
  const groups = new Map(set.groups.map((group) => [selectorKey(groupRef(group)), group]));
  /** The groups that hold a selector as a member. */
  const holders = new Map<SubjectKey, SubjectKey[]>();
  for (const group of set.groups) {
    for (const member of group.members) {
      const key = selectorKey(member);
      const known = holders.get(key);
      if (known === undefined) holders.set(key, [selectorKey(groupRef(group))]);
      else known.push(selectorKey(groupRef(group)));
    }
  }
  const widened = (keys: readonly SubjectKey[]): SubjectKey[] => [
    EVERYONE,
    ...keys.flatMap((key) => [key, ...(holders.get(key) ?? [])]),
  ];
  return {
    key: (selector) => (selector === null ? EVERYONE : selectorKey(selector)),
    parts(selector, scope) {
      if (selector === null) return [[EVERYONE]];
      if (selector.kind !== "group") {
        const within = restrict(selector, scope, own);
        return within === null ? [] : [widened(coveringKeys(within, own))];
      }
      const members = groups.get(selectorKey(selector))?.members ?? [];
      const meant = members.flatMap((member) => restrict(member, scope, own) ?? []);
      if (meant.length === 0) return [];
      const whole = [EVERYONE, selectorKey(selector)];
      if (meant.length > EXPANDED_MEMBERS) return [whole];
      return meant.map((member) => [...whole, ...widened(coveringKeys(member, own))]);
    },
  };
}

function groupRef({ scope, name }: { readonly scope: Scope; readonly name: string }): SubjectSelector {
  return { kind: "group", scope, name };
}

function selectorKey(selector: SubjectSelector): SubjectKey {
  switch (selector.kind) {
    case "group":
      return `group ${selector.scope}/${selector.name}`;
    case "namespace":
      return `namespace ${selector.namespace}`;
    case "trustDomain":
      return `trustDomain ${selector.trustDomain}`;
    default:
      return `${selector.kind} ${selector.trustDomain}${selector.path}`;
  }
}

/** What of a selector a policy of `scope` speaks for; null = nobody. A namespace's workloads are `/ns/<ns>/sa/<sa>`. */
function restrict(selector: IdentitySelector, scope: Scope, own: string): IdentitySelector | null {
  if (scope === "") return selector;
  const all: IdentitySelector = { kind: "namespace", namespace: scope };
  if (selector.kind === "namespace") return selector.namespace === scope ? all : null;
  if (selector.trustDomain !== own) return null;
  if (selector.kind === "trustDomain") return all;
  if (selector.kind === "id") return namespaceOf(selector.path) === scope ? selector : null;
  return `/ns/${scope}/sa/`.startsWith(`${selector.path}/`) ? all : null;
}

/** The keys of all selectors, groups aside, that hold a selector. */
function coveringKeys(selector: IdentitySelector, own: string): SubjectKey[] {
  if (selector.kind === "trustDomain") return [selectorKey(selector)];
  const domain = selector.kind === "namespace" ? own : selector.trustDomain;
  const keys = [`trustDomain ${domain}`];
  const path = selector.kind === "namespace" ? `/ns/${selector.namespace}/sa/` : selector.path;
  // A prefix holds what lies below it, itself included where it is a prefix too.
  for (let slash = path.indexOf("/"); slash !== -1; slash = path.indexOf("/", slash + 1)) {
    keys.push(`prefix ${domain}${path.slice(0, slash)}`);
  }
  if (selector.kind !== "namespace") keys.push(selectorKey(selector));
  const namespace =
    selector.kind === "namespace" ? selector.namespace : selector.kind === "id" ? namespaceOf(path) : null;
  if (namespace !== null && domain === own) keys.push(`namespace ${namespace}`);
  return keys;
}

function namespaceOf(path: string): string | null {
  return /^\/ns\/([^/]+)\/sa\/[^/]+$/.exec(path)?.[1] ?? null;
}

import type { EgressGateway, IdentityGroup, IdentitySelector, Scope, SubjectSelector } from "../model.ts";
import { narrowed } from "../narrowed.ts";

/** Whom rules speak of, and what that costs when a workload is one of them. */
export interface WorkSubject {
  /** Null = everyone. */
  readonly members: readonly IdentitySelector[] | null;
  /** Of rules without `to`. */
  any: number;
  /** By service, then by host pattern. */
  readonly services: Map<string, number>;
  readonly hosts: Map<string, number>;
}

/** Those of the documents of one namespace, or of the root. */
export interface WorkSubjects {
  /** The one that a selector of these documents names; null = everyone. */
  subject(selector: SubjectSelector | null): WorkSubject;
  all(): Iterable<WorkSubject>;
}

/** Groups of the scope count whether or not a rule names them: the engine meets them all the same. */
export function createWorkSubjects(
  scope: Scope,
  groups: ReadonlyMap<string, IdentityGroup>,
  gateway: Pick<EgressGateway, "trustDomains">,
): WorkSubjects {
  const subjects = new Map<string, WorkSubject>();
  const own = gateway.trustDomains[0] ?? "";
  const make = (key: string, members: WorkSubject["members"]): WorkSubject => {
    const made = { members, any: 0, services: new Map(), hosts: new Map() };
    subjects.set(key, made);
    return made;
  };
  function subject(selector: SubjectSelector | null): WorkSubject {
    const key = selector === null ? "" : keyOf(selector);
    const known = subjects.get(key);
    if (known !== undefined) return known;
    if (selector === null) return make(key, null);
    if (selector.kind !== "group") return make(key, [selector]);
    const members = groups.get(`${selector.scope}/${selector.name}`)?.members ?? [];
    return make(key, scope === "" ? members : members.flatMap((each) => narrowed(each, scope, own)));
  }
  for (const group of groups.values()) {
    if (group.scope === scope) subject({ kind: "group", scope: group.scope, name: group.name });
  }
  return { subject, all: () => subjects.values() };
}

/** Names a selector, and the entry under which the engine finds who it means. */
export function keyOf(selector: SubjectSelector): string {
  switch (selector.kind) {
    case "group":
      return `g|${selector.scope}|${selector.name}`;
    case "namespace":
      return `n|${selector.namespace}`;
    case "trustDomain":
      return `d|${selector.trustDomain}`;
    case "prefix":
      return `p|${selector.trustDomain}|${selector.path}`;
    default:
      return `i|${selector.trustDomain}|${selector.path}`;
  }
}

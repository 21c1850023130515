import type { ExternalService, Fallback } from "../../policy/model.ts";
import type { Corner } from "./explore.ts";
import { fallbackOf, type Holds, type Identities, type Identity, roleOf } from "./identities.ts";
import { type Item, itemsAt, push, type Side, type Subject } from "./side.ts";
import type { HostAtom, Touched } from "./touched.ts";

/** A class of identities at one host: their rules, and what else decides. */
export interface Alike {
  readonly identities: Identity[];
  readonly items: readonly [readonly Item[], readonly Item[]];
  readonly corner: Pick<Corner, "structure" | "fallbacks">;
}

/** The two sides, and who is of their subjects. */
export interface Sides {
  readonly old: Side;
  readonly now: Side;
  readonly holds: readonly [Holds, Holds];
  readonly identities: Identities;
}

/** Workloads that something touched at a host may tell apart, in classes of those that nothing does. `among` = all that were told apart. */
export function identitiesAt(
  { atom, subjects, structure }: Touched,
  services: readonly ExternalService[],
  { old, now, holds, identities }: Sides,
): { readonly alike: readonly Alike[]; readonly among: readonly Identity[] } {
  const sides = [indexItems(old, holds[0], atom), indexItems(now, holds[1], atom)] as const;
  const sets = [old.set, now.set] as const;
  const exact = subjects?.every(({ selectors }) => selectors?.every(({ kind }) => kind === "id")) ?? false;
  const selectorsOf = (list: Iterable<Subject>) => [...list].flatMap(({ selectors }) => selectors ?? []);
  const drawn = exact
    ? identities.named(selectorsOf(subjects ?? []))
    : identities.all({
        selectors: [
          ...selectorsOf(subjects ?? []),
          ...sides.flatMap(({ bySubject }) => selectorsOf(bySubject.keys())),
          ...[old, now].flatMap(({ fallbacks }) => selectorsOf(fallbacks.map(({ subject }) => subject))),
        ],
        namespaces: [
          ...services.flatMap(({ scope }) => (scope === "" ? [] : [scope])),
          ...sides.flatMap(({ bySubject }) =>
            [...bySubject.values()].flat().flatMap(({ scope }) => (scope === "" ? [] : [scope])),
          ),
          ...sets.flatMap(({ invalidNamespaces }) => invalidNamespaces),
        ],
      });
  // Whoever is of neither set's trust domains is refused by both.
  const among = drawn.filter(({ domain }) => sets.some((set) => roleOf(set, domain) !== "foreign"));
  const touchedOf = subjects === null ? null : createSubjectIndex(subjects);
  const scopes = new Set(services.map(({ scope }) => scope));
  const classes = new Map<string, Alike>();
  for (const identity of among) {
    if (touchedOf?.(identity).some((each) => holds[0](each, identity) || holds[1](each, identity)) === false) continue;
    const before = standingOf(old, holds[0], sides[0], identity);
    const after = standingOf(now, holds[1], sides[1], identity);
    const seen = identity.namespace !== null && scopes.has(identity.namespace) ? identity.namespace : "";
    const key = `${seen} | ${textOf(before)} | ${textOf(after)}`;
    const known = classes.get(key);
    if (known !== undefined) {
      known.identities.push(identity);
      continue;
    }
    const differs = structure || before.role !== after.role || before.fallback !== after.fallback;
    classes.set(key, {
      identities: [identity],
      items: [before.items, after.items],
      corner: { structure: differs, fallbacks: [before.fallback, after.fallback] },
    });
  }
  return { alike: [...classes.values()], among };
}

/** What one side makes of an identity at a host. */
interface Standing {
  readonly role: string;
  readonly fallback: Fallback;
  readonly items: readonly Item[];
  readonly isInvalid: boolean;
}

function standingOf(side: Side, holds: Holds, index: ItemIndex, identity: Identity): Standing {
  const { set } = side;
  const role = roleOf(set, identity.domain);
  return {
    role,
    fallback: fallbackOf(side, holds, identity),
    items: index.itemsOf(identity, role === "own"),
    isInvalid: set.invalidNamespaces.includes(identity.namespace ?? ""),
  };
}

/** Identities of the same text fare alike. */
function textOf({ role, fallback, items, isInvalid }: Standing): string {
  let text = `${role} ${fallback} ${isInvalid}`;
  for (const { number } of items) text += ` ${number}`;
  return text;
}

interface ItemIndex {
  readonly bySubject: ReadonlyMap<Subject, readonly Item[]>;
  /** `own` = the identity is of the mesh's own domain. */
  itemsOf(identity: Identity, own: boolean): readonly Item[];
}

function indexItems(side: Side, holds: Holds, atom: HostAtom): ItemIndex {
  const bySubject = Map.groupBy(itemsAt(side, atom), ({ subject }) => subject);
  const subjectsOf = createSubjectIndex(bySubject.keys());
  return {
    bySubject,
    itemsOf(identity, own) {
      const items: Item[] = [];
      for (const subject of subjectsOf(identity)) {
        if (!holds(subject, identity)) continue;
        for (const item of bySubject.get(subject) ?? []) {
          if (item.scope === "" || (own && item.scope === identity.namespace)) items.push(item);
        }
      }
      return items;
    },
  };
}

/** Finds those of the subjects that may hold an identity. Subjects that name IDs one by one are found by these. */
function createSubjectIndex(subjects: Iterable<Subject>): (identity: Identity) => readonly Subject[] {
  const byId = new Map<string, Subject[]>();
  const wide: Subject[] = [];
  for (const subject of subjects) {
    const { selectors } = subject;
    if (selectors?.every(({ kind }) => kind === "id")) {
      for (const each of selectors) if (each.kind === "id") push(byId, each.path, subject);
    } else wide.push(subject);
  }
  return ({ path }) => {
    const named = byId.get(path) ?? [];
    return wide.length === 0 ? named : [...wide, ...named];
  };
}

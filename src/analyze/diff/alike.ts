import type { ExternalService } from "../../policy/model.ts";
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
  const rolesOf = ({ domain }: Identity) => sets.map((set) => roleOf(set, domain));
  // Whoever is of neither set's trust domains is refused by both.
  const among = drawn.filter((each) => rolesOf(each).some((role) => role !== "foreign"));
  const touchedOf = subjects === null ? null : createSubjectIndex(subjects);
  const scopes = new Set(services.map(({ scope }) => scope));
  const classes = new Map<string, Alike>();
  for (const identity of among) {
    const roles = rolesOf(identity);
    if (touchedOf?.(identity).some((each) => holds.some((held) => held(each, identity))) === false) continue;
    const items = [
      sides[0].itemsOf(identity, roles[0] === "own"),
      sides[1].itemsOf(identity, roles[1] === "own"),
    ] as const;
    const fallbacks = [fallbackOf(old, holds[0], identity), fallbackOf(now, holds[1], identity)] as const;
    const differs = structure || roles[0] !== roles[1] || fallbacks[0] !== fallbacks[1];
    const namespace = identity.namespace ?? "";
    const invalid = sets.map(({ invalidNamespaces }) => invalidNamespaces.includes(namespace));
    const seen = scopes.has(namespace) ? namespace : "";
    const numbers = items.map((list) => list.map(({ number }) => number).join());
    const key = [...roles, seen, ...invalid, ...fallbacks, ...numbers].join(" ");
    const known = classes.get(key);
    if (known === undefined)
      classes.set(key, { identities: [identity], items, corner: { structure: differs, fallbacks } });
    else known.identities.push(identity);
  }
  return { alike: [...classes.values()], among };
}

interface ItemIndex {
  readonly bySubject: ReadonlyMap<Subject, readonly Item[]>;
  /** `own` = the identity is of the mesh's own domain. */
  itemsOf(identity: Identity, own: boolean): readonly Item[];
}

function indexItems(side: Side, holds: Holds, atom: HostAtom): ItemIndex {
  const bySubject = new Map<Subject, Item[]>();
  for (const item of itemsAt(side, atom)) push(bySubject, item.subject, item);
  const subjectsOf = createSubjectIndex(bySubject.keys());
  return {
    bySubject,
    itemsOf: (identity, own) =>
      subjectsOf(identity)
        .filter((each) => holds(each, identity))
        .flatMap((each) => bySubject.get(each) ?? [])
        .filter(({ scope }) => scope === "" || (own && scope === identity.namespace)),
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
  return ({ path }) => [...wide, ...(byId.get(path) ?? [])];
}

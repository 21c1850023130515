import type { CheckKind } from "../../pdp/decision.ts";
import type { ExternalService } from "../../policy/model.ts";
import { CHECK_KINDS } from "../probe.ts";
import { type Box, bestWitness, type Corner, explore, type Judge } from "./explore.ts";
import { createWitnessHosts } from "./hosts.ts";
import { createHolds, fallbackOf, type Holds, type Identity, identitiesFor, roleOf } from "./identities.ts";
import { partWords } from "./part-words.ts";
import { createSide, type Item, itemsAt, push, type Revision, type Side, type Subject, servicesAt } from "./side.ts";
import { type HostAtom, type Touched, touchedHosts } from "./touched.ts";

/** Requests of some workloads to some hosts that change alike. */
export interface ChangeClass {
  readonly box: Box;
  readonly kind: CheckKind;
  /** Sorted. */
  readonly ports: readonly number[];
  /** Under AllowAny: also all ports but these; null = no others. */
  readonly otherThan: readonly number[] | null;
  /** Null = every host that no pattern names. */
  readonly hosts: readonly HostAtom[];
  /** Workloads whose requests change, of all those that were told apart there. */
  readonly identities: readonly Identity[];
  readonly among: readonly Identity[];
}

/** What a comparison found, and what its proof rests on. */
export interface Difference {
  readonly classes: readonly ChangeClass[];
  /** All that tells hosts apart: a wildcard of a class stands for what none of these that is narrower holds. */
  readonly atoms: readonly HostAtom[];
  /** Atoms of hosts that anything touches; requests decided, each for all that are like it. */
  readonly proof: { readonly touched: number; readonly witnesses: number };
  /** Where rules can be combined in so many ways that not all were looked at. */
  readonly unproved: readonly Pick<Corner, "principal" | "host" | "port" | "kind">[];
}

const ANY_PORT = -1;
const MOST_LEAVES = 2_000_000;

/**
 * Compares two revisions for all requests from `atMs` on. Only regions that some difference touches are looked at, see
 * `touchedHosts`; within them, requests that no condition of either set tells apart are decided by one of them, by the engine,
 * under both.
 */
export function diff(was: Revision, is: Revision, atMs: number): Difference {
  const old = createSide(was, atMs);
  const now = createSide(is, atMs);
  const { atoms, touched } = touchedHosts(old, now);
  const hostOf = createWitnessHosts(atoms);
  const unproved: Difference["unproved"][number][] = [];
  let witnesses = 0;
  const judge: Judge = {
    most: MOST_LEAVES,
    decide(input, instant) {
      witnesses += 1;
      return [was.engine.decide(input, instant), is.engine.decide(input, instant)];
    },
    decideAssuming(input, instant, [before, after]) {
      witnesses += 1;
      return [
        was.engine.decideAssuming(input, instant, (text) => before.get(text) ?? "doubt"),
        is.engine.decideAssuming(input, instant, (text) => after.get(text) ?? "doubt"),
      ];
    },
    give: ({ principal, host, port, kind }) => unproved.push({ principal, host, port, kind }),
  };
  const holds = [createHolds(old), createHolds(now)] as const;
  const found = touched.flatMap((each) => atHost(each, hostOf(each.atom), { old, now, holds, judge, atMs }));
  return {
    classes: joined(found),
    atoms,
    proof: { touched: touched.length, witnesses },
    unproved,
  };
}

interface Context {
  readonly old: Side;
  readonly now: Side;
  readonly holds: readonly [Holds, Holds];
  readonly judge: Judge;
  readonly atMs: number;
}

/** A class of identities at one host: their rules, and what else decides. */
interface Alike {
  readonly identities: Identity[];
  readonly items: readonly [readonly Item[], readonly Item[]];
  readonly corner: Pick<Corner, "structure" | "fallbacks">;
}

function atHost(touched: Touched, host: string | null, context: Context): readonly ChangeClass[] {
  const { old, now, judge, atMs } = context;
  const { atom } = touched;
  const services = [old, now].flatMap((side) => servicesAt(side, atom).map(([, service]) => service));
  const open = [old, now].some(({ set }) => set.gateway.securityModel === "AllowAny");
  // What nobody registers is refused by both.
  if (host === null || (services.length === 0 && !open)) return [];
  const { alike, among } = identitiesAt(touched, services, context);
  const byBox = new Map<string, Placed[]>();
  for (const of of alike) {
    const items = [...of.items[0], ...of.items[1]];
    const named = open ? [...new Set(namedPorts(services, items))].sort((one, other) => one - other) : [];
    for (const { kind, port } of doorsOf(services, items, open)) {
      const corner: Corner = {
        ...{ kind, host, atMs, open, ...of.corner },
        principal: of.identities[0]?.spiffeId ?? "",
        port: port === ANY_PORT ? freePort(services, items) : port,
        grpc:
          kind === "http" &&
          services.some(({ ports }) => ports.some((each) => each.number === port && each.protocol === "GRPC")),
      };
      const reach = (list: readonly Item[]): readonly Item[] =>
        list.filter(({ conditions: { ports } }) => ports?.includes(port) ?? true);
      for (const box of explore(corner, reach(of.items[0]), reach(of.items[1]), judge)) {
        push(byBox, JSON.stringify([box.change, partWords(box.parts), kind]), { box, kind, port, named, of });
      }
    }
  }
  return [...byBox.values()].flatMap((list) => classesOf(list, atom, among));
}

/** A box and where it was found. */
interface Placed {
  readonly box: Box;
  readonly kind: CheckKind;
  readonly port: number;
  /** The ports that anything names, where all others are told of too. */
  readonly named: readonly number[];
  readonly of: Alike;
}

/** Of one box at one host: identities with the same ports belong together. */
function classesOf(list: readonly Placed[], atom: HostAtom, among: readonly Identity[]): readonly ChangeClass[] {
  const byIdentities = new Map<Alike, Placed[]>();
  for (const each of list) push(byIdentities, each.of, each);
  const byPorts = new Map<string, Placed[][]>();
  for (const placed of byIdentities.values()) {
    const ports = placed.map(({ port }) => port).sort((one, other) => one - other);
    push(byPorts, JSON.stringify([ports, placed[0]?.named]), placed);
  }
  return [...byPorts.values()].flatMap((group) => {
    const [first = []] = group;
    const [one] = first;
    if (one === undefined) return [];
    const ports = first.map(({ port }) => port);
    return [
      {
        box: joinBoxes(group.flat().map(({ box }) => box)),
        kind: one.kind,
        ports: ports.filter((port) => port !== ANY_PORT).sort((a, b) => a - b),
        otherThan: ports.includes(ANY_PORT) ? one.named.filter((port) => !ports.includes(port)) : null,
        hosts: [atom],
        identities: group.flatMap(([each]) => each?.of.identities ?? []),
        among,
      },
    ];
  });
}

function joinBoxes(boxes: readonly Box[]): Box {
  const [first] = boxes;
  if (first === undefined) throw new RangeError("a class has a box");
  return {
    ...first,
    witness: bestWitness(boxes),
    was: new Set(boxes.flatMap((each) => [...each.was])),
    now: new Set(boxes.flatMap((each) => [...each.now])),
  };
}

/** Hosts at which the same identities change alike. */
function joined(classes: readonly ChangeClass[]): readonly ChangeClass[] {
  const groups = new Map<string, ChangeClass[]>();
  for (const each of classes) {
    const ids = (list: readonly Identity[]): string =>
      list
        .map(({ spiffeId }) => spiffeId)
        .sort()
        .join();
    const { box, kind, ports, otherThan, identities, among } = each;
    const others = among.filter((one) => !identities.includes(one));
    push(
      groups,
      JSON.stringify([box.change, partWords(box.parts), kind, ports, otherThan, ids(identities), ids(others)]),
      each,
    );
  }
  return [...groups.values()].flatMap((group) => {
    const [first] = group;
    if (first === undefined) return [];
    return [{ ...first, box: joinBoxes(group.map(({ box }) => box)), hosts: group.flatMap(({ hosts }) => hosts) }];
  });
}

/** In what ways the host can be asked for so that not both refuse: as its ports speak, or in every way under AllowAny. */
function doorsOf(
  services: readonly ExternalService[],
  items: readonly Item[],
  open: boolean,
): readonly { readonly kind: CheckKind; readonly port: number }[] {
  if (!open) {
    const doors = services.flatMap(({ ports }) =>
      ports.map(({ number, protocol }) => ({ kind: CHECK_KINDS[protocol], port: number })),
    );
    return [...new Map(doors.map((each) => [`${each.kind}${each.port}`, each])).values()];
  }
  const ports = new Set([...namedPorts(services, items), ANY_PORT]);
  return (["http", "tls", "tcp"] as const).flatMap((kind) => [...ports].map((port) => ({ kind, port })));
}

function namedPorts(services: readonly ExternalService[], items: readonly Item[]): readonly number[] {
  return [
    ...services.flatMap(({ ports }) => ports.map(({ number }) => number)),
    ...items.flatMap(({ conditions }) => conditions.ports ?? []),
  ];
}

function freePort(services: readonly ExternalService[], items: readonly Item[]): number {
  const named = new Set(namedPorts(services, items));
  let port = 8000;
  while (named.has(port)) port += 1;
  return port;
}

function identitiesAt(
  { atom, subjects, structure }: Touched,
  services: readonly ExternalService[],
  { old, now, holds }: Context,
): { readonly alike: readonly Alike[]; readonly among: readonly Identity[] } {
  const sides = [indexItems(old, holds[0], atom), indexItems(now, holds[1], atom)] as const;
  const sets = [old.set, now.set] as const;
  const exact = subjects?.every(({ selectors }) => selectors?.every(({ kind }) => kind === "id")) ?? false;
  const selectorsOf = (list: Iterable<Subject>) => [...list].flatMap(({ selectors }) => selectors ?? []);
  const drawn = exact
    ? identitiesFor(sets, { selectors: selectorsOf(subjects ?? []), namespaces: [] }).filter(
        ({ stands }) => stands.kind === "id",
      )
    : identitiesFor(sets, {
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
  const scopes = new Set(services.map(({ scope }) => scope));
  const classes = new Map<string, Alike>();
  for (const identity of among) {
    const roles = rolesOf(identity);
    if (subjects !== null && !subjects.some((each) => holds.some((held) => held(each, identity)))) continue;
    const items = [
      sides[0].itemsOf(identity, roles[0] === "own"),
      sides[1].itemsOf(identity, roles[1] === "own"),
    ] as const;
    const fallbacks = [fallbackOf(old, holds[0], identity), fallbackOf(now, holds[1], identity)] as const;
    const differs = structure || roles[0] !== roles[1] || fallbacks[0] !== fallbacks[1];
    const namespace = identity.namespace ?? "";
    const invalid = sets.map(({ invalidNamespaces }) => invalidNamespaces.includes(namespace));
    const seen = scopes.has(namespace) ? namespace : "";
    const key = JSON.stringify([
      roles,
      seen,
      invalid,
      fallbacks,
      ...items.map((list) => list.map(({ number }) => number)),
    ]);
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

/** Subjects that name IDs one by one are found by these, others one after the other. */
function indexItems(side: Side, holds: Holds, atom: HostAtom): ItemIndex {
  const bySubject = new Map<Subject, Item[]>();
  for (const item of itemsAt(side, atom)) push(bySubject, item.subject, item);
  const byId = new Map<string, Subject[]>();
  const wide: Subject[] = [];
  for (const subject of bySubject.keys()) {
    const { selectors } = subject;
    if (selectors?.every(({ kind }) => kind === "id")) {
      for (const each of selectors) if (each.kind === "id") push(byId, each.path, subject);
    } else wide.push(subject);
  }
  return {
    bySubject,
    itemsOf(identity, own) {
      const subjects = [...wide, ...(byId.get(identity.path) ?? [])].filter((each) => holds(each, identity));
      return subjects
        .flatMap((each) => bySubject.get(each) ?? [])
        .filter(({ scope }) => scope === "" || (own && scope === identity.namespace));
    },
  };
}

import { identitiesAt, type Sides } from "./alike.ts";
import { type ChangeClass, classesOf, joined, type Placed } from "./change-class.ts";
import { allDoors, namedPorts, portAt, registeredDoors } from "./doors.ts";
import { type Corner, explore, type Judge } from "./explore.ts";
import { createWitnessHosts } from "./hosts.ts";
import { createHolds, createIdentities } from "./identities.ts";
import { createSide, type Item, push, type Revision, servicesAt } from "./side.ts";
import { createSplitCache, type SplitCache } from "./split.ts";
import { type HostAtom, type Touched, touchedHosts } from "./touched.ts";

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
      return [was.engine.outcome(input, instant), is.engine.outcome(input, instant)];
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
  const identities = createIdentities([was.set, is.set]);
  const context = { old, now, holds, identities, judge, splits: createSplitCache(), atMs };
  const found = touched.flatMap((each) => atHost(each, hostOf(each.atom), context));
  return {
    classes: joined(found),
    atoms,
    proof: { touched: touched.length, witnesses },
    unproved,
  };
}

interface Context extends Sides {
  readonly judge: Judge;
  readonly splits: SplitCache;
  readonly atMs: number;
}

function atHost(touched: Touched, host: string | null, context: Context): readonly ChangeClass[] {
  const { old, now, atMs } = context;
  const { atom } = touched;
  const services = [old, now].flatMap((side) => servicesAt(side, atom).map(([, service]) => service));
  const open = [old, now].some(({ set }) => set.gateway.securityModel === "AllowAny");
  // What nobody registers is refused by both.
  if (host === null || (services.length === 0 && !open)) return [];
  const { alike, among } = identitiesAt(touched, services, context);
  const registered = registeredDoors(services);
  const grpcPorts = new Set(
    services.flatMap(({ ports }) => ports.flatMap(({ number, protocol }) => (protocol === "GRPC" ? [number] : []))),
  );
  const byBox = new Map<string, Placed[]>();
  for (const of of alike) {
    const items = of.items[0].concat(of.items[1]);
    const named = open ? [...new Set(namedPorts(services, items))].sort((one, other) => one - other) : [];
    for (const { kind, port } of open ? allDoors(services, items) : registered) {
      const corner: Corner = {
        kind,
        host,
        atMs,
        open,
        structure: of.corner.structure,
        fallbacks: of.corner.fallbacks,
        principal: of.identities[0]?.spiffeId ?? "",
        port: portAt(port, services, items),
        grpc: kind === "http" && grpcPorts.has(port),
      };
      for (const box of explore(corner, reaching(port, of.items[0]), reaching(port, of.items[1]), context)) {
        push(byBox, box.text, { box, port, named, of });
      }
    }
  }
  return [...byBox.values()].flatMap((list) => classesOf(list, atom, among));
}

function reaching(port: number, items: readonly Item[]): readonly Item[] {
  return items.filter(({ conditions: { ports } }) => ports?.includes(port) ?? true);
}

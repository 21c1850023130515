import type { CheckKind } from "../../pdp/decision.ts";
import type { Alike } from "./alike.ts";
import { type Box, joinBoxes } from "./box.ts";
import { ANY_PORT } from "./doors.ts";
import type { Identity } from "./identities.ts";
import { push } from "./side.ts";
import type { HostAtom } from "./touched.ts";

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

/** A box and where it was found. */
export interface Placed {
  readonly box: Box;
  readonly port: number;
  /** The ports that anything names, where all others are told of too. */
  readonly named: readonly number[];
  readonly of: Alike;
}

/** Of one box at one host: identities with the same ports belong together. */
export function classesOf(list: readonly Placed[], atom: HostAtom, among: readonly Identity[]): readonly ChangeClass[] {
  const [only] = list;
  if (only !== undefined && list.length === 1) return [classOf(only.box, list, only.of.identities, atom, among)];
  const byIdentities = new Map<Alike, Placed[]>();
  for (const each of list) push(byIdentities, each.of, each);
  const byPorts = new Map<string, Placed[][]>();
  for (const placed of byIdentities.values()) {
    const ports = placed.map(({ port }) => port).sort((one, other) => one - other);
    push(byPorts, `${ports.join()} ${placed[0]?.named.join()}`, placed);
  }
  return [...byPorts.values()].map((group) => {
    const box = joinBoxes(group.flat().map((each) => each.box));
    return classOf(
      box,
      group[0] ?? [],
      group.flatMap(([each]) => each?.of.identities ?? []),
      atom,
      among,
    );
  });
}

/** The class of a box, of these identities. `placed` = where it was found, for any of them. */
function classOf(
  box: Box,
  placed: readonly Placed[],
  identities: readonly Identity[],
  atom: HostAtom,
  among: readonly Identity[],
): ChangeClass {
  const ports = placed.map(({ port }) => port).sort((one, other) => one - other);
  const isAny = ports[0] === ANY_PORT;
  const named = placed[0]?.named ?? [];
  return {
    box,
    kind: box.witness.input.kind,
    ports: isAny ? ports.slice(1) : ports,
    otherThan: isAny ? named.filter((port) => !ports.includes(port)) : null,
    hosts: [atom],
    identities,
    among,
  };
}

/** Hosts at which the same identities change alike. */
export function joined(classes: readonly ChangeClass[]): readonly ChangeClass[] {
  const groups = new Map<string, Map<string, ChangeClass[]>>();
  // All classes of a host have the same identities among them.
  const known = new Map<readonly Identity[], string>();
  const idsAmong = (among: readonly Identity[]): string => {
    const text = known.get(among) ?? idsOf(among);
    known.set(among, text);
    return text;
  };
  for (const each of classes) {
    const { box, ports, otherThan, identities, among } = each;
    const alike = groups.get(box.text) ?? new Map<string, ChangeClass[]>();
    groups.set(box.text, alike);
    const who = `${idsOf(identities)} of ${idsAmong(among)}`;
    push(alike, `${ports.join()} ${otherThan?.join() ?? "none"} ${who}`, each);
  }
  return [...groups.values()].flatMap((alike) => [...alike.values()].flatMap(joinClasses));
}

function idsOf(list: readonly Identity[]): string {
  if (list.length < 2) return list[0]?.spiffeId ?? "";
  return list
    .map(({ spiffeId }) => spiffeId)
    .sort()
    .join();
}

/** As one, whose hosts are those of all. */
function joinClasses(group: readonly ChangeClass[]): readonly ChangeClass[] {
  const [first] = group;
  if (first === undefined || group.length === 1) return group;
  return [{ ...first, box: joinBoxes(group.map(({ box }) => box)), hosts: group.flatMap(({ hosts }) => hosts) }];
}

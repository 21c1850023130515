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
  readonly kind: CheckKind;
  readonly port: number;
  /** The ports that anything names, where all others are told of too. */
  readonly named: readonly number[];
  readonly of: Alike;
}

/** Of one box at one host: identities with the same ports belong together. */
export function classesOf(list: readonly Placed[], atom: HostAtom, among: readonly Identity[]): readonly ChangeClass[] {
  const byIdentities = new Map<Alike, Placed[]>();
  for (const each of list) push(byIdentities, each.of, each);
  const byPorts = new Map<string, Placed[][]>();
  for (const placed of byIdentities.values()) {
    const ports = placed.map(({ port }) => port).sort((one, other) => one - other);
    push(byPorts, `${ports.join()} ${placed[0]?.named.join()}`, placed);
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

/** Hosts at which the same identities change alike. */
export function joined(classes: readonly ChangeClass[]): readonly ChangeClass[] {
  const groups = new Map<string, ChangeClass[]>();
  for (const each of classes) {
    const ids = (list: readonly Identity[]): string =>
      list
        .map(({ spiffeId }) => spiffeId)
        .sort()
        .join();
    const { box, ports, otherThan, identities, among } = each;
    const own = new Set(identities);
    const others = among.filter((one) => !own.has(one));
    const asked = [box.text, ports.join(), otherThan?.join() ?? "none"];
    push(groups, [...asked, ids(identities), ids(others)].join(" "), each);
  }
  return [...groups.values()].flatMap((group) => {
    const [first] = group;
    if (first === undefined) return [];
    return [{ ...first, box: joinBoxes(group.map(({ box }) => box)), hosts: group.flatMap(({ hosts }) => hosts) }];
  });
}

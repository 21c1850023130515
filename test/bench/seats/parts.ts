import { CONNECTED, GATEWAY, GRPC_GO, GRPC_JS, LOGGED, MOST, NONE, SERVERS, SIZES, WAYS, type Way } from "./ways.ts";

/** A way at a size. */
export interface Station {
  readonly way: Way;
  readonly rules: number;
}

export type PartName = "direct" | "connections" | "upstream";

/** So much longer is warmed up what is started anew for each round: there is no round before in which V8 could have come to an end with the code. */
export const ANEW_WARM_UPS = 3;

/** What is measured together, in the same rounds, and so can be compared. */
export interface Part {
  readonly name: PartName;
  /** Whether requests are forwarded; else Envoy answers by itself. */
  readonly forwards: boolean;
  /** Whether everything is started anew for each round: two processes of one program differ by up to a fifth in what a Check costs them. */
  readonly startsAnew: boolean;
  /** In the order of the table and of measuring. */
  readonly stations: readonly Station[];
}

/** In the order of the page. */
export const PARTS: readonly Part[] = [
  {
    name: "direct",
    forwards: false,
    startsAnew: false,
    // How many rules there are is nothing to a handler that has none.
    stations: SIZES.flatMap((rules) => at(rules, rules === MOST ? WAYS : WAYS.filter((way) => !GRPC_JS.includes(way)))),
  },
  { name: "connections", forwards: false, startsAnew: true, stations: at(MOST, CONNECTED) },
  {
    name: "upstream",
    forwards: true,
    startsAnew: false,
    stations: at(MOST, [
      NONE,
      GATEWAY,
      LOGGED,
      ...[...SERVERS, ...GRPC_GO].filter(({ transport }) => transport === "unix"),
    ]),
  },
];

/** What a run is confined to: names of parts, ids of ways, numbers of rules; null for all. */
export interface Selection {
  readonly parts: readonly string[] | null;
  readonly ways: readonly string[] | null;
  readonly rules: readonly string[] | null;
}

/** The parts that are left, each with something to measure; a sentence where a name is unknown or nothing is left. */
export function selectParts({ parts, ways, rules }: Selection): readonly Part[] | string {
  const stations = PARTS.flatMap((part) => part.stations);
  const unknown =
    unknownOf(
      "part",
      parts,
      PARTS.map(({ name }) => name),
    ) ??
    unknownOf(
      "way",
      ways,
      stations.map(({ way }) => way.id),
    ) ??
    unknownOf(
      "number of rules",
      rules,
      stations.map((station) => String(station.rules)),
    );
  if (unknown !== null) return unknown;
  const taken = (wanted: readonly string[] | null, name: string): boolean => wanted?.includes(name) ?? true;
  const left = PARTS.filter(({ name }) => taken(parts, name)).flatMap((part): readonly Part[] => {
    const kept = part.stations.filter((each) => taken(ways, each.way.id) && taken(rules, String(each.rules)));
    return kept.length === 0 ? [] : [{ ...part, stations: kept }];
  });
  return left.length === 0 ? "nothing is left to measure: no part has these ways at these numbers of rules" : left;
}

function unknownOf(what: string, wanted: readonly string[] | null, known: readonly string[]): string | null {
  const found = wanted?.find((each) => !known.includes(each));
  return found === undefined ? null : `there is no ${what} "${found}"; known are ${[...new Set(known)].join(", ")}`;
}

function at(rules: number, ways: readonly Way[]): readonly Station[] {
  return ways.map((way) => ({ way, rules }));
}

/** A station in words. */
export function titleOf({ way, rules }: Station): string {
  return `${way.title}, ${rules.toLocaleString("en")} rules`;
}

import { median } from "../median.ts";
import type { PartData, SeatsData } from "./data.ts";
import { type Comparison, checkCost, comparedInRounds, slowest, throughput } from "./figures.ts";
import { type Station, titleOf } from "./parts.ts";
import { CONNECTED, GATEWAY, GRPC_GO, insteadOf, MOST, NONE, SERVERS, SIZES, type Way } from "./ways.ts";

/** What was aimed at, what came of it where it is worst, and whether that is enough. */
export interface Goal {
  readonly text: string;
  /** The median of the rounds, in brackets the least and the greatest of them. */
  readonly measured: string;
  readonly where: string;
  /** By the median. */
  readonly met: boolean;
  /** Whether each round by itself says the same. */
  readonly inEachRound: boolean;
}

/** The server seat's CPU a Check against that of the bare grpc-go authorizer. */
const MOST_OF_GRPC_GO = 2;

/** Something compared in each round, somewhere. */
interface Compared {
  readonly where: string;
  readonly rounds: readonly number[];
}

/** All goals of the seats that there are data of, judged. */
export function goalsOf({ direct, connections, upstream }: SeatsData): readonly Goal[] {
  const none = [NONE];
  const gateway = stations([GATEWAY], SIZES);
  const connected = CONNECTED.filter(({ authorizer }) => authorizer === "sallyport");
  const ofGrpcJs = (compare: Comparison): readonly Compared[] => {
    const yardstick = (way: Way) => [insteadOf(way, "grpc-js")];
    return [
      ...everyPair(direct, stations(SERVERS, [MOST]), yardstick, compare),
      ...everyPair(connections, stations(connected, [MOST]), yardstick, compare),
    ];
  };
  const later = (name: "p50" | "p99") =>
    everyPair(
      direct,
      gateway,
      () => none,
      (a, b) => a.open[name] - b.open[name],
    );
  const ofGrpcGo = everyPair(direct, stations(SERVERS, SIZES), (way) => [insteadOf(way, "grpc-go")], checkCost);
  return [
    atLeast(
      0.7,
      "the gateway seat answers at least 0.70 times what no authorization does, at every size",
      everyPair(direct, gateway, () => none, throughput),
    ),
    atLeast(
      0.7,
      "the same with a real upstream",
      everyPair(upstream, gateway, () => none, throughput),
    ),
    atLeast(
      2.5,
      "it answers at least 2.5 times (aim: 4) what an Envoy does that asks the bare grpc-go authorizer, over either transport",
      everyPair(direct, gateway, () => GRPC_GO, throughput),
    ),
    atLeast(
      2.5,
      "the same with a real upstream, over a Unix socket",
      everyPair(upstream, gateway, () => GRPC_GO, throughput),
    ),
    atMost(0.3, "its p50 at 1,000 requests a second is within 0.3 ms of no authorization's", later("p50"), "ms"),
    atMost(0.3, "and its p99", later("p99"), "ms"),
    atMost(
      1.1,
      "its request at 10,000 rules costs at most 1.1 times one at 10 rules, in time and in CPU",
      direct === undefined ? [] : growthOf(direct),
    ),
    atLeast(
      0.85,
      "an Envoy that asks the server seat answers at least 0.85 times what one does that asks the bare grpc-js handler, over the same transport and as many connections",
      ofGrpcJs(throughput),
    ),
    atMost(1.3, "and its p99 at 1,000 requests a second is at most 1.3 times as long", ofGrpcJs(slowest)),
    atMost(
      1.2,
      "the server seat takes at most 1.2 times the CPU a Check of the bare grpc-js handler, asked in the same way",
      ofGrpcJs(checkCost),
    ),
    atMost(
      MOST_OF_GRPC_GO,
      "the server seat takes at most 2.0 times the CPU a Check of the bare grpc-go authorizer, over the same transport",
      ofGrpcGo,
    ),
  ].flat();
}

function atLeast(limit: number, text: string, seen: readonly Compared[]): readonly Goal[] {
  return judged(text, "×", seen.toSorted(byMedian), (value) => value >= limit);
}

function atMost(limit: number, text: string, seen: readonly Compared[], unit: "×" | "ms" = "×"): readonly Goal[] {
  return judged(text, unit, seen.toSorted(byMedian).reverse(), (value) => value <= limit);
}

function byMedian(a: Compared, b: Compared): number {
  return median(a.rounds) - median(b.rounds);
}

/** Of the first; nothing where nothing was measured. */
function judged(
  text: string,
  unit: string,
  [worst]: readonly Compared[],
  enough: (value: number) => boolean,
): readonly Goal[] {
  if (worst === undefined) return [];
  const { where, rounds } = worst;
  const [middle, least, most] = [median(rounds), Math.min(...rounds), Math.max(...rounds)].map((each) =>
    each.toFixed(2),
  );
  const met = enough(median(rounds));
  const inEachRound = rounds.every((each) => enough(each) === met);
  return [{ text, measured: `${middle} ${unit} (${least} to ${most})`, where, met, inEachRound }];
}

function stations(ways: readonly Way[], sizes: readonly number[]): readonly Station[] {
  return sizes.flatMap((rules) => ways.map((way) => ({ way, rules })));
}

/** Each station against its yardsticks at the same size, where both were measured. */
function everyPair(
  part: PartData | undefined,
  own: readonly Station[],
  yardsticks: (way: Way) => readonly Way[],
  compare: Comparison,
): readonly Compared[] {
  if (part === undefined) return [];
  return own.flatMap((station) =>
    yardsticks(station.way).flatMap((way) => {
      const rounds = comparedInRounds(part, station, { ...station, way }, compare);
      const where = `${titleOf(station)}, against ${way.title}`;
      return rounds.length === 0 ? [] : [{ where, rounds }];
    }),
  );
}

/** Most rules against fewest: time a request under full load, and Envoy's CPU for it. */
function growthOf(part: PartData): readonly Compared[] {
  const most = { way: GATEWAY, rules: MOST };
  const fewest = { way: GATEWAY, rules: SIZES[0] ?? 0 };
  const time = comparedInRounds(part, most, fewest, (a, b) => b.closed.perSecond / a.closed.perSecond);
  const cpu = comparedInRounds(part, most, fewest, (a, b) => a.closed.envoyMicros / b.closed.envoyMicros);
  return time.length === 0
    ? []
    : [
        { where: "in time", rounds: time },
        { where: "in CPU", rounds: cpu },
      ];
}

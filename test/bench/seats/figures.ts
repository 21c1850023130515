import { median } from "../median.ts";
import type { CellData, PartData } from "./data.ts";
import type { Station } from "./parts.ts";
import { NONE } from "./ways.ts";

/** What a way at a size comes to: medians of the rounds; comparisons are made within each round first. */
export interface Figures extends Station {
  /** Closed loop. */
  readonly perSecond: number;
  /** Against no authorization at the same size; null where that was not measured. */
  readonly ofNone: number | null;
  readonly envoyMicros: number;
  readonly authorizerMicros: number;
  /** At the fixed rate, milliseconds. */
  readonly openPerSecond: number;
  readonly p50: number;
  readonly p99: number;
  readonly p999: number;
  readonly envoyBytes: number;
  readonly authorizerBytes: number;
  /** Null where they were not counted. */
  readonly connections: number | null;
}

/** The figures of those that were measured, in their order. */
export function figuresOf(part: PartData, stations: readonly Station[]): readonly Figures[] {
  return stations.flatMap((station) => {
    const cells = cellsAt(part, station);
    const of = (value: (cell: CellData) => number): number => median(cells.map(value));
    if (cells.length === 0) return [];
    return {
      ...station,
      perSecond: of(({ closed }) => closed.perSecond),
      ofNone: compared(part, station, { ...station, way: NONE }, throughput),
      envoyMicros: of(({ closed }) => closed.envoyMicros),
      authorizerMicros: of(({ closed }) => closed.authorizerMicros),
      openPerSecond: of(({ open }) => open.perSecond),
      p50: of(({ open }) => open.p50),
      p99: of(({ open }) => open.p99),
      p999: of(({ open }) => open.p999),
      envoyBytes: of(({ envoyBytes }) => envoyBytes),
      authorizerBytes: of(({ authorizerBytes }) => authorizerBytes),
      connections: cells.every(({ authorizerConnections }) => authorizerConnections !== undefined)
        ? of(({ authorizerConnections = 0 }) => authorizerConnections)
        : null,
    };
  });
}

/** How two cells of a round are compared. */
export type Comparison = (own: CellData, other: CellData) => number;

export const throughput: Comparison = (own, other) => own.closed.perSecond / other.closed.perSecond;
export const checkCost: Comparison = (own, other) => own.closed.authorizerMicros / other.closed.authorizerMicros;
export const slowest: Comparison = (own, other) => own.open.p99 / other.open.p99;

/** Two places compared in each round by itself: what slows a whole round down does not count. None where one of them was not measured. */
export function comparedInRounds(part: PartData, own: Station, other: Station, compare: Comparison): readonly number[] {
  const others = new Map(cellsAt(part, other).map((cell) => [cell.round, cell]));
  return cellsAt(part, own).flatMap((cell) => {
    const pair = others.get(cell.round);
    return pair === undefined ? [] : [compare(cell, pair)];
  });
}

/** The median of the rounds; null where one of them was not measured. */
export function compared(part: PartData, own: Station, other: Station, compare: Comparison): number | null {
  const rounds = comparedInRounds(part, own, other, compare);
  return rounds.length === 0 ? null : median(rounds);
}

function cellsAt({ cells }: PartData, { way, rules }: Station): readonly CellData[] {
  return cells.filter((cell) => cell.way === way.id && cell.rules === rules);
}

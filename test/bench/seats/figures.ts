import { median } from "../median.ts";
import type { CellData, SeatsData } from "./data.ts";
import { NONE } from "./ways.ts";

/** What a way at a size comes to: medians of the rounds; comparisons are made within each round first. */
export interface Figures {
  readonly way: string;
  readonly rules: number;
  /** Closed loop. */
  readonly perSecond: number;
  /** Against no authorization at the same size. */
  readonly ofNone: number;
  readonly envoyMicros: number;
  readonly authorizerMicros: number;
  /** At the fixed rate, milliseconds. */
  readonly openPerSecond: number;
  readonly p50: number;
  readonly p99: number;
  readonly p999: number;
  readonly envoyBytes: number;
  readonly authorizerBytes: number;
}

/** A place in the data: a way at a size. */
export interface Place {
  readonly way: string;
  readonly rules: number;
}

/** The figures of a place. */
export function figuresOf(data: SeatsData, place: Place): Figures {
  const none = { way: NONE.id, rules: place.rules };
  const of = (value: (cell: CellData) => number): number => median(cellsAt(data, place).map(value));
  return {
    ...place,
    perSecond: of(({ closed }) => closed.perSecond),
    ofNone: compared(data, place, none, (own, other) => own.closed.perSecond / other.closed.perSecond),
    envoyMicros: of(({ closed }) => closed.envoyMicros),
    authorizerMicros: of(({ closed }) => closed.authorizerMicros),
    openPerSecond: of(({ open }) => open.perSecond),
    p50: of(({ open }) => open.p50),
    p99: of(({ open }) => open.p99),
    p999: of(({ open }) => open.p999),
    envoyBytes: of(({ envoyBytes }) => envoyBytes),
    authorizerBytes: of(({ authorizerBytes }) => authorizerBytes),
  };
}

/** Two places of the same round compared, then the median of the rounds: what slows a whole round down does not count. */
export function compared(
  data: SeatsData,
  own: Place,
  other: Place,
  compare: (own: CellData, other: CellData) => number,
): number {
  const others = new Map(cellsAt(data, other).map((cell) => [cell.round, cell]));
  const pairs = cellsAt(data, own).map((cell) => {
    const pair = others.get(cell.round);
    if (pair === undefined) throw new Error(`round ${cell.round} has no ${other.way} with ${other.rules} rules`);
    return compare(cell, pair);
  });
  return median(pairs);
}

function cellsAt({ cells }: SeatsData, { way, rules }: Place): readonly CellData[] {
  const found = cells.filter((cell) => cell.way === way && cell.rules === rules);
  if (found.length === 0) throw new Error(`there are no data of ${way} with ${rules} rules`);
  return found;
}

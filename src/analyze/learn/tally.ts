const DAY_MS = 86_400_000;

/** How often, since when and until when something was seen. Grows with what is added to it. */
export interface Tally {
  count: number;
  /** Milliseconds since the epoch. */
  firstMs: number;
  lastMs: number;
  /** Ids of the first and the last decision. */
  firstId: string;
  lastId: string;
  /** Days of UTC, counted from the epoch. */
  readonly days: Set<number>;
}

/** What a decision adds to a tally. */
export interface Sighting {
  readonly timeMs: number;
  readonly id: string;
}

/** Of one decision. */
export function tallyOf({ timeMs, id }: Sighting): Tally {
  const days = new Set([Math.floor(timeMs / DAY_MS)]);
  return { count: 1, firstMs: timeMs, lastMs: timeMs, firstId: id, lastId: id, days };
}

/** Adds a decision. */
export function addSighting(to: Tally, { timeMs, id }: Sighting): void {
  to.count += 1;
  to.days.add(Math.floor(timeMs / DAY_MS));
  stretch(to, timeMs, id, timeMs, id);
}

/** Adds another tally. */
export function addTally(to: Tally, other: Tally): void {
  to.count += other.count;
  for (const day of other.days) to.days.add(day);
  stretch(to, other.firstMs, other.firstId, other.lastMs, other.lastId);
}

/** All of them in a new one. @throws RangeError when there is none */
export function sumTallies(all: readonly Tally[]): Tally {
  const [first, ...rest] = all;
  if (first === undefined) throw new RangeError("no tally to sum");
  const sum = { ...first, days: new Set(first.days) };
  for (const each of rest) addTally(sum, each);
  return sum;
}

/** Of two decisions at the same time the lesser id counts, so that the order of adding does not. */
function stretch(to: Tally, firstMs: number, firstId: string, lastMs: number, lastId: string): void {
  if (firstMs < to.firstMs || (firstMs === to.firstMs && firstId < to.firstId)) {
    to.firstMs = firstMs;
    to.firstId = firstId;
  }
  if (lastMs > to.lastMs || (lastMs === to.lastMs && lastId < to.lastId)) {
    to.lastMs = lastMs;
    to.lastId = lastId;
  }
}

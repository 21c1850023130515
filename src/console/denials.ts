import type { RecordedDecision } from "../analyze/replay/recorded-decision.ts";

/** What was denied to whom, of one destination. */
export interface DeniedDestination {
  readonly place: string;
  readonly count: number;
  readonly reasons: readonly string[];
  readonly workloads: readonly string[];
  readonly last: string;
  /** Denials in each of the last minutes, the oldest first. */
  readonly minutes: readonly number[];
}

/** How far back it is counted by the minute. */
export const MINUTES = 30;

/** Denied destinations, the most denied first. */
export function deniedDestinations(records: readonly RecordedDecision[], nowMs: number): DeniedDestination[] {
  const groups = Map.groupBy(
    records.filter(({ effect }) => effect === "deny"),
    ({ target }) => `${target.host}:${target.port}`,
  );
  return [...groups]
    .map(([place, denied]) => {
      const minutes = Array.from({ length: MINUTES }, () => 0);
      for (const { time } of denied) {
        const ago = Math.floor((nowMs - Date.parse(time)) / 60_000);
        const at = MINUTES - 1 - Math.max(0, ago);
        if (at >= 0) minutes[at] = (minutes[at] ?? 0) + 1;
      }
      return {
        place,
        count: denied.length,
        reasons: distinct(denied.map(({ reason }) => reason)),
        workloads: distinct(denied.map(({ subject }) => subject.spiffeId)),
        last: denied.reduce((latest, { time }) => (time > latest ? time : latest), ""),
        minutes,
      };
    })
    .sort((a, b) => b.count - a.count || (a.place < b.place ? -1 : 1));
}

function distinct(texts: readonly string[]): string[] {
  return [...new Set(texts)].sort();
}

import type { Tally } from "../analyze/learn/tally.ts";

/** How often and when, in machine-readable output. */
export function tallyJson({ count, days, firstMs, lastMs, firstId, lastId }: Tally): object {
  const time = (ms: number): string => new Date(ms).toISOString();
  return { count, days: days.size, first: time(firstMs), last: time(lastMs), decisions: [firstId, lastId] };
}

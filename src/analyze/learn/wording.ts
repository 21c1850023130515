import { MOST_VALUES } from "./path-tree.ts";
import type { Tally } from "./tally.ts";

/** So many values are told by name. */
const NAMED = 3;

/** `1 request`, `12 requests`. */
export function requestsText(count: number): string {
  return `${count} ${count === 1 ? "request" : "requests"}`;
}

/** An instant without its milliseconds. */
export function instantText(ms: number): string {
  return `${new Date(ms).toISOString().slice(0, -5)}Z`;
}

/** How often and when. */
export function tallyText({ count, days, firstMs, lastMs }: Tally): string {
  const span = firstMs === lastMs ? instantText(firstMs) : `${instantText(firstMs)} to ${instantText(lastMs)}`;
  return `${requestsText(count)} on ${days.size} ${days.size === 1 ? "day" : "days"}, ${span}`;
}

/** The decisions to look up, the first and the last. */
export function decisionsText({ firstId, lastId }: Tally): string {
  return firstId === lastId ? `decision ${firstId}` : `decisions ${firstId} and ${lastId}`;
}

/** How many values stand behind a `{*}` or a wildcard, and some of them. */
export function valuesText(values: readonly string[], noun: string): string {
  const more = values.length >= MOST_VALUES ? "at least " : "";
  const named = values.slice(0, NAMED).map((each) => (each.length > 64 ? `${each.slice(0, 64)}…` : each));
  return `${more}${values.length} ${noun}${values.length === 1 ? "" : "s"}, such as ${named.join(", ")}`;
}

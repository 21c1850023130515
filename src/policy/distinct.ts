import { compareText } from "./reporter.ts";

/** Each of these once, whatever it looks like, in the order of its JSON: the same list however it was written. */
export function distinct<T>(all: readonly T[]): readonly T[] {
  // Most lists of rules have one entry.
  if (all.length < 2) return all;
  const byText = new Map(all.map((each) => [JSON.stringify(each), each]));
  return [...byText].sort(([a], [b]) => compareText(a, b)).map(([, each]) => each);
}

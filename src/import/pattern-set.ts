import { coveringPatterns, patternCovers } from "../policy/host-pattern.ts";
import type { HostPattern } from "../policy/model.ts";

/** Host patterns that are looked up by what they cover, without a look at each. */
export interface PatternSet {
  has(pattern: HostPattern): boolean;
  readonly all: readonly HostPattern[];
  /** Does one of them cover this one? */
  covers(pattern: HostPattern): boolean;
  /** Those that this one covers. */
  below(pattern: HostPattern): readonly HostPattern[];
  /** Has one of them a host in common with this one? */
  meets(pattern: HostPattern): boolean;
}

export function createPatternSet(patterns: Iterable<HostPattern>): PatternSet {
  const all = new Set(patterns);
  const under = new Map<HostPattern, HostPattern[]>();
  for (const each of all) {
    for (const above of coveringPatterns(each)) {
      const list = under.get(above);
      if (list === undefined) under.set(above, [each]);
      else list.push(each);
    }
  }
  const covers = (pattern: HostPattern): boolean => [...coveringPatterns(pattern)].some((each) => all.has(each));
  return {
    has: (pattern) => all.has(pattern),
    all: [...all],
    covers,
    below: (pattern) => (under.get(pattern) ?? []).filter((each) => patternCovers(pattern, each)),
    meets: (pattern) => covers(pattern) || under.has(pattern),
  };
}

/** The patterns without those that another one covers, sorted. */
export function widest(patterns: Iterable<HostPattern>): readonly HostPattern[] {
  const all = new Set(patterns);
  return [...all]
    .filter((each) => ![...coveringPatterns(each)].some((above) => above !== each && all.has(above)))
    .sort();
}

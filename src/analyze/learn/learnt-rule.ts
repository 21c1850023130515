import type { PathPattern } from "../../policy/model.ts";
import { parsePathPattern } from "../../policy/path-pattern.ts";
import { pathCovers } from "../lint/path-cover.ts";
import { type Ending, type LearntPath, pathsOf } from "./path-tree.ts";
import { addTally, sumTallies, type Tally } from "./tally.ts";
import type { LearntEdge } from "./wildcards.ts";

/** How often and on how many days a thing must have been seen. */
export interface Thresholds {
  readonly minCount: number;
  readonly minDays: number;
}

/** One method on one pattern of paths. */
export interface LearntMethod {
  readonly method: string;
  readonly tally: Tally;
  /** A path that was seen, as it was on the wire. */
  readonly path: string;
}

/** One pattern of paths with the methods that were seen on it. */
export interface LearntPattern {
  readonly text: string;
  readonly methods: readonly LearntMethod[];
  /** Values of each `{*}`, sorted; `MOST_VALUES` of them may be more. */
  readonly values: readonly (readonly string[])[];
}

/** What one workload may ask of one host on one port. */
export interface LearntTarget {
  readonly edge: LearntEdge;
  /** Sorted. None on TLS and TCP. */
  readonly patterns: readonly LearntPattern[];
  readonly tally: Tally;
}

/** What is left of an edge once what was seen too rarely is gone. `rare` counts the requests that go with it. */
export function targetOf(
  edge: LearntEdge,
  thresholds: Thresholds,
): { target: LearntTarget | null; rare: Tally | null } {
  const rare: Tally[] = [];
  const kept = pathsOf(edge.tree).flatMap((path): LearntPath[] => {
    const methods = new Map<string, Ending>();
    for (const [method, ending] of path.methods) {
      if (isEnough(ending.tally, thresholds)) methods.set(method, ending);
      else rare.push(ending.tally);
    }
    return methods.size === 0 ? [] : [{ ...path, methods }];
  });
  const left = rare.length === 0 ? null : sumTallies(rare);
  if (kept.length === 0) return { target: null, rare: left };
  const tally = sumTallies(kept.flatMap(({ methods }) => [...methods.values()].map((each) => each.tally)));
  const patterns = edge.kind === "http" ? withoutCovered(kept.map(patternOf)) : [];
  return { target: { edge, patterns, tally }, rare: left };
}

function isEnough({ count, days }: Tally, { minCount, minDays }: Thresholds): boolean {
  return count >= minCount && days.size >= minDays;
}

interface Draft extends LearntPattern {
  readonly pattern: PathPattern;
}

function patternOf({ segments, values, methods }: LearntPath): Draft {
  const text = `/${segments.map((each) => each ?? "{*}").join("/")}`;
  const pattern = parsePathPattern(text);
  if (!pattern.ok) throw new RangeError(`\`${text}\` is no pattern: ${pattern.message}`);
  const list = [...methods]
    .map(([method, { tally, path }]) => ({ method, tally, path }))
    .sort((a, b) => (a.method < b.method ? -1 : 1));
  return { text, pattern: pattern.value, methods: list, values: values.map((each) => [...each].sort()) };
}

/** Gives what another pattern matches anyway, with the same method, to that one. */
function withoutCovered(drafts: readonly Draft[]): LearntPattern[] {
  const all = [...drafts].sort((a, b) => (a.text < b.text ? -1 : 1));
  const wide = all.filter(({ values }) => values.length > 0);
  return all
    .map((draft) => {
      const methods = draft.methods.filter((each) => {
        const over = wide.find(
          (other) =>
            other !== draft &&
            pathCovers(other.pattern, draft.pattern) &&
            other.methods.some(({ method }) => method === each.method),
        );
        const taker = over?.methods.find(({ method }) => method === each.method);
        if (taker === undefined) return true;
        addTally(taker.tally, each.tally);
        return false;
      });
      return { text: draft.text, methods, values: draft.values };
    })
    .filter(({ methods }) => methods.length > 0);
}

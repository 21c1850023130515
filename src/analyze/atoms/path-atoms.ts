import type { PathPattern } from "../../policy/model.ts";

/** Paths that no pattern tells apart. */
export interface PathAtom {
  /** `doubt` = ambiguous ones; `asterisk` = the path `*` of OPTIONS, where no other path is left unmatched. */
  readonly kind: "plain" | "doubt" | "asterisk";
  /** One of them, as a request carries it. */
  readonly path: string;
  /** Places of the patterns that match. Sorted; none in doubt. */
  readonly matched: readonly number[];
}

/** A pattern by its segments; `open` = what comes after them is free: `{**}`, or the rest of a prefix's last segment. */
interface Steps {
  readonly segments: readonly (string | null)[];
  /** `rest` = anything after the next slash; `text` = whatever begins with this segment; null = nothing more. */
  readonly open: "rest" | { readonly text: string } | null;
}

const FREE = "other";
/** Longer paths are in doubt. */
const MAX_BYTES = 8192;

/**
 * Every combination of patterns that some path matches, each with such a path, and those in doubt. Null when there are more
 * than `most`. Walks the patterns segment by segment: of all segments only those named at a place, those that begin as a
 * prefix ends, one that is like none of these, and the empty one can be told apart there.
 */
export function pathAtoms(patterns: readonly PathPattern[], most: number): readonly PathAtom[] | null {
  const steps = patterns.map(stepsOf);
  const found = new Map<string, PathAtom>();
  const seen = new Set<string>();

  function record(path: string, matched: readonly number[]): void {
    const key = matched.join();
    const sent = encodePath(path);
    if (!found.has(key) && sent.length <= MAX_BYTES) found.set(key, { kind: "plain", path: sent, matched });
  }

  /** @param pending patterns that match so far and ask for more; `matched` = those that match whatever follows */
  function walk(path: string, depth: number, pending: readonly number[], matched: readonly number[]): boolean {
    if (pending.length === 0) {
      record(`${path}/${FREE}`, matched);
      return true;
    }
    const key = `${depth} ${pending.join()} ${matched.join()}`;
    if (seen.has(key)) return true;
    seen.add(key);
    if (seen.size > most * 4 || found.size > most) return false;
    for (const segment of segmentsAt(steps, pending, depth)) {
      const next: number[] = [];
      const ended: number[] = [];
      const settled = [...matched];
      for (const place of pending) {
        const result = step(steps[place], depth, segment);
        if (result === "more") next.push(place);
        else if (result === "end") ended.push(place);
        else if (result === "settled") settled.push(place);
      }
      const here = `${path}/${segment}`;
      const sorted = settled.sort(byNumber);
      record(here, [...sorted, ...ended].sort(byNumber));
      if (segment !== "" && !walk(here, depth + 1, next, sorted)) return false;
    }
    return true;
  }

  if (!walk("", 0, [...steps.keys()], [])) return null;
  const atoms = [...found.values()];
  if (!found.has("")) atoms.push({ kind: "asterisk", path: "*", matched: [] });
  return [...atoms, { kind: "doubt", path: "/a//b", matched: [] }];
}

function stepsOf(pattern: PathPattern): Steps {
  if (pattern.kind === "exact") return { segments: pattern.text.slice(1).split("/"), open: null };
  if (pattern.kind === "prefix") {
    const parts = pattern.prefix.slice(1).split("/");
    return { segments: parts.slice(0, -1), open: { text: parts.at(-1) ?? "" } };
  }
  const open = pattern.segments.at(-1)?.kind === "rest";
  const fixed = open ? pattern.segments.slice(0, -1) : pattern.segments;
  return { segments: fixed.map((each) => (each.kind === "literal" ? each.text : null)), open: open ? "rest" : null };
}

/** What becomes of a pattern when the segment stands at this depth. */
function step(steps: Steps | undefined, depth: number, segment: string): "dead" | "more" | "end" | "settled" {
  if (steps === undefined) return "dead";
  const { segments, open } = steps;
  if (depth === segments.length) {
    if (open === null) return "dead";
    return open === "rest" || segment.startsWith(open.text) ? "settled" : "dead";
  }
  const wanted = segments[depth];
  if (wanted === null ? segment === "" : wanted !== segment) return "dead";
  return depth === segments.length - 1 && open === null ? "end" : "more";
}

/** Segments that stand for all others at a depth. */
function segmentsAt(steps: readonly Steps[], pending: readonly number[], depth: number): readonly string[] {
  const literals = new Set<string>();
  const starts = new Set<string>([""]);
  for (const place of pending) {
    const { segments, open } = steps[place] ?? { segments: [], open: null };
    const literal = segments[depth];
    if (typeof literal === "string") literals.add(literal);
    else if (depth === segments.length && open !== null && open !== "rest") starts.add(open.text);
  }
  const others = [...starts].map((start) => freeSegment(start, literals, starts));
  return [...new Set([...literals, ...others, ""])];
}

/** A segment that begins so, is none of the literals, and begins as no longer start does. */
function freeSegment(start: string, literals: ReadonlySet<string>, starts: ReadonlySet<string>): string {
  for (const word of freeWords()) {
    const segment = `${start}${word}`;
    const longer = [...starts].some((each) => each.length > start.length && segment.startsWith(each));
    if (!literals.has(segment) && !longer) return segment;
  }
  throw new RangeError("there are more starts than characters");
}

/** Words for people first; then each begins with another character, of which there are more than patterns can begin with. */
function* freeWords(): Generator<string> {
  yield* [FREE, `${FREE}2`, `${FREE}3`, ..."xyzabcdefghijklmnopqrstuvw0123456789"];
  for (let point = FIRST_LETTER; point < LAST_LETTER; point++) yield String.fromCodePoint(point);
}

/** Ideographs: letters without a case. */
const FIRST_LETTER = 0x4e00;
const LAST_LETTER = 0x9fff;

/** Policies write paths decoded; a request carries them encoded. */
function encodePath(path: string): string {
  return path.replace(/[^A-Za-z0-9\-._~!$&'()*+,=:@/]/gu, encodeURIComponent);
}

function byNumber(one: number, other: number): number {
  return one - other;
}

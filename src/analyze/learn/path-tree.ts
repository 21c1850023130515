import { addSighting, addTally, type Sighting, type Tally, tallyOf } from "./tally.ts";

/** A request's path by segments, decoded, and how it was asked for. */
export interface PathSighting extends Sighting {
  readonly segments: readonly string[];
  readonly method: string;
  /** As it was on the wire. */
  readonly path: string;
}

/** One method on the paths of one pattern. */
export interface Ending {
  readonly tally: Tally;
  /** The least of the paths, as it was on the wire. */
  path: string;
}

/** Paths that became one pattern. */
export interface LearntPath {
  /** Null stands for `{*}`. */
  readonly segments: readonly (string | null)[];
  /** For each `{*}` in their order: the values seen there, at most `MOST_VALUES`. */
  readonly values: readonly ReadonlySet<string>[];
  readonly methods: ReadonlyMap<string, Ending>;
}

/** So many values of one `{*}` are kept. */
export const MOST_VALUES = 1000;

/** All that is known of the paths after some segments. */
interface Place {
  readonly literals: Map<string, Place>;
  /** After a segment that is `{*}`. */
  any: Place | null;
  readonly values: Set<string>;
  /** Two different numbers were seen: numbers are `{*}`. */
  numbers: boolean;
  /** Too many values were seen: whatever is not empty is `{*}`. */
  folded: boolean;
  readonly endings: Map<string, Ending>;
}

/** Paths folded into patterns as they come: memory does not grow with the values of a segment. */
export interface PathTree {
  readonly root: Place;
  readonly mostLiterals: number;
  /** How many places and endings were made so far. */
  size: number;
}

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;
const HASH = /^(?=.*\d)[0-9a-f]{16,}$/i;
const NUMBER = /^\d+$/;

/**
 * A tree without paths. Which segments become `{*}` in it, and nothing else does: a UUID; 16 or more hexadecimal digits, one of
 * them a decimal one; a number, once two different ones were seen at its place; every segment of a place, once `mostLiterals`
 * different ones that are none of these were seen there. A place is what all paths with the same (folded) segments before
 * it share. An empty segment, after a slash at the end, stays. The order of the paths does not matter.
 */
export function createPathTree(mostLiterals: number): PathTree {
  return { root: newPlace(), mostLiterals, size: 1 };
}

/** Adds a request. */
export function addPath(tree: PathTree, { segments, method, path, ...sighting }: PathSighting): void {
  let place = tree.root;
  for (const segment of segments) place = step(tree, place, segment);
  const known = place.endings.get(method);
  if (known === undefined) {
    tree.size += 1;
    place.endings.set(method, { tally: tallyOf(sighting), path });
    return;
  }
  addSighting(known.tally, sighting);
  if (path < known.path) known.path = path;
}

/** Adds all paths of another tree, which may no longer be used. */
export function addTree(tree: PathTree, other: PathTree): void {
  merge(tree, tree.root, other.root);
}

/** Every pattern once. */
export function pathsOf({ root }: PathTree): readonly LearntPath[] {
  return [...walk(root, [], [])];
}

function newPlace(): Place {
  return { literals: new Map(), any: null, values: new Set(), numbers: false, folded: false, endings: new Map() };
}

/** The place after a segment; folds what must be folded for it. */
function step(tree: PathTree, place: Place, segment: string): Place {
  const known = place.literals.get(segment);
  if (known !== undefined) return known;
  if (segment !== "") {
    const number = NUMBER.test(segment);
    const literals = [...place.literals.keys()].filter((each) => each !== "");
    if (number && literals.some((each) => NUMBER.test(each))) foldNumbers(tree, place);
    // A number alone is not counted: whether it will stay alone, only the end can tell.
    if (!number && !isId(segment) && literals.filter((each) => !NUMBER.test(each)).length + 1 >= tree.mostLiterals)
      foldAll(tree, place);
    if (isId(segment) || place.folded || (place.numbers && number)) {
      keep(place.values, segment);
      return anyOf(tree, place);
    }
  }
  tree.size += 1;
  const made = newPlace();
  place.literals.set(segment, made);
  return made;
}

function isId(segment: string): boolean {
  return UUID.test(segment) || HASH.test(segment);
}

function anyOf(tree: PathTree, place: Place): Place {
  if (place.any === null) {
    tree.size += 1;
    place.any = newPlace();
  }
  return place.any;
}

function keep(values: Set<string>, value: string): void {
  if (values.size < MOST_VALUES) values.add(value);
}

function foldNumbers(tree: PathTree, place: Place): void {
  place.numbers = true;
  fold(tree, place, (segment) => NUMBER.test(segment));
}

function foldAll(tree: PathTree, place: Place): void {
  place.folded = true;
  fold(tree, place, () => true);
}

/** Moves literal segments of a place under its `{*}`. */
function fold(tree: PathTree, place: Place, which: (segment: string) => boolean): void {
  for (const [segment, after] of [...place.literals]) {
    if (segment === "" || !which(segment)) continue;
    place.literals.delete(segment);
    keep(place.values, segment);
    merge(tree, anyOf(tree, place), after);
  }
}

function merge(tree: PathTree, to: Place, from: Place): void {
  for (const [method, ending] of from.endings) {
    const known = to.endings.get(method);
    if (known === undefined) to.endings.set(method, ending);
    else {
      addTally(known.tally, ending.tally);
      if (ending.path < known.path) known.path = ending.path;
    }
  }
  if (from.numbers) foldNumbers(tree, to);
  if (from.folded) foldAll(tree, to);
  for (const value of from.values) keep(to.values, value);
  if (from.any !== null) merge(tree, anyOf(tree, to), from.any);
  for (const [segment, after] of from.literals) merge(tree, step(tree, to, segment), after);
}

function* walk(
  place: Place,
  segments: LearntPath["segments"],
  values: readonly ReadonlySet<string>[],
): Generator<LearntPath> {
  if (place.endings.size > 0) yield { segments, values, methods: place.endings };
  if (place.any !== null) yield* walk(place.any, [...segments, null], [...values, place.values]);
  for (const [segment, after] of place.literals) yield* walk(after, [...segments, segment], values);
}

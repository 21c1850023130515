import type { CheckInput, CheckKind, Decision } from "../../pdp/decision.ts";
import type { Outcome } from "../../pdp/engine.ts";
import { type Fallback, readsRequest } from "../../policy/model.ts";
import { CONTENT_TYPE, UPGRADE_HEADERS } from "../atoms/header-atoms.ts";
import { type Change, changeOf } from "../change.ts";
import { type Box, boxOf, joinBoxes, narrowed } from "./box.ts";
import { splitHeader, splitMethods, splitPaths, splitTimes, splitUpgrades } from "./dimensions.ts";
import { expressionsOf, MOST_WAYS, type Truths, waysOf } from "./expressions.ts";
import { createPart } from "./part-words.ts";
import { type Item, isLookedAt, isSameFrom, STEPS, textFrom } from "./side.ts";
import type { Atom, Sample, Split, SplitCache } from "./split.ts";

/** Whose requests to what are explored. */
export interface Corner {
  readonly kind: CheckKind;
  readonly principal: string;
  readonly host: string;
  readonly port: number;
  readonly atMs: number;
  /** Rules are not all that may differ. */
  readonly structure: boolean;
  readonly fallbacks: readonly [Fallback, Fallback];
  readonly open: boolean;
  readonly grpc: boolean;
}

/** What is asked, and how much of it there was. */
export interface Judge {
  /** They tell of this request until the next. */
  decide(input: CheckInput, atMs: number): readonly [Outcome, Outcome];
  decideAssuming(input: CheckInput, atMs: number, truths: Truths): readonly [Decision, Decision];
  /** Regions of requests that could not be taken apart. */
  give(corner: Corner): void;
  readonly most: number;
}

/**
 * Finds what changes in a corner, for every request. Requests are taken apart by what the rules that are left look at, one
 * kind of condition after the other, until both sets are left with the same rules or nothing tells requests apart any more:
 * then one of them is decided for all.
 */
export function explore(
  corner: Corner,
  old: readonly Item[],
  now: readonly Item[],
  { judge, splits }: { readonly judge: Judge; readonly splits: SplitCache },
): readonly Box[] {
  const { kind, atMs } = corner;
  const http = kind === "http";
  const empty: Sample = {
    method: http ? "GET" : "",
    path: http ? "/" : "",
    headers: NO_HEADERS,
    atMs,
  };
  // Where method, path and headers cannot be seen, conditions on them are in doubt.
  const seen = (items: readonly Item[]): readonly Item[] =>
    http ? items : items.filter((item) => item.denies || !looks(item));
  let left = judge.most;

  function walk(step: number, one: readonly Item[], other: readonly Item[], sample: Sample): readonly Box[] {
    if (left <= 0 || isSettled(corner, step, one, other)) return NO_BOXES;
    const name = STEPS[step];
    if (name === undefined) {
      left -= 1;
      return decided(corner, sample, judge);
    }
    if (!isLookedAt(step, one) && !isLookedAt(step, other) && !isAlwaysLookedAt(name, corner)) {
      return walk(step + 1, one, other, sample);
    }
    if (name === "whens") {
      const expressions = expressionsOf(corner, one, other);
      if (expressions.length === 0) return walk(step + 1, one, other, sample);
      const ways = waysOf(expressions);
      left = ways.length > MOST_WAYS ? 0 : left - ways.length;
      return left <= 0 ? NO_BOXES : assumed(corner, sample, judge, ways);
    }
    const both = one.concat(other);
    if (name === "headers") return walkHeaders(headerNames(both, corner.grpc), 0, one, other, sample);
    const split = splitBy(name, both, corner, splits);
    if (split === "too many") {
      left = 0;
      return NO_BOXES;
    }
    if (split === null) return walk(step + 1, one, other, sample);
    return apart(split, one, other, sample, (a, b, filled) => walk(step + 1, a, b, filled));
  }

  function walkHeaders(
    names: readonly string[],
    from: number,
    one: readonly Item[],
    other: readonly Item[],
    sample: Sample,
  ): readonly Box[] {
    const name = names[from];
    if (name === undefined) return walk(STEPS.indexOf("headers") + 1, one, other, sample);
    const split = splitHeader(one.concat(other), name, corner.grpc, corner.host);
    return apart(split, one, other, sample, (a, b, filled) => walkHeaders(names, from + 1, a, b, filled));
  }

  const found = walk(http ? 0 : STEPS.indexOf("times"), seen(old), seen(now), empty);
  if (left <= 0) judge.give(corner);
  return found;
}

function looks({ conditions: { methods, paths, headers }, when }: Item): boolean {
  return methods !== null || paths !== null || headers.length > 0 || (when !== null && readsRequest(when.reads));
}

/** Is a step looked at whatever the items ask for? */
function isAlwaysLookedAt(name: (typeof STEPS)[number], { kind, grpc }: Corner): boolean {
  return kind === "http" && (name === "upgrades" || (name === "headers" && grpc));
}

/** Is there nothing left that could make a difference? This is asked so often that it goes through lists without making anything. */
function isSettled(
  { structure, fallbacks, open }: Corner,
  step: number,
  old: readonly Item[],
  now: readonly Item[],
): boolean {
  // Nobody lets anything pass.
  if (!open && fallbacks[0] === "deny" && fallbacks[1] === "deny" && old.every(denies) && now.every(denies))
    return true;
  if (structure) return false;
  return within(old, now, step) && within(now, old, step);
}

function denies(item: Item): boolean {
  return item.denies;
}

/** So short lists are compared one by one. */
const SHORT = 8;

/** Is all that is left of each of these items left of one of those too? */
function within(items: readonly Item[], others: readonly Item[], step: number): boolean {
  if (others.length <= SHORT) {
    for (let i = 0; i < items.length; i++) if (!isAmong(others, items[i] as Item, step)) return false;
    return true;
  }
  const known = new Set(others.map((each) => textFrom(step, each)));
  return items.every((item) => known.has(textFrom(step, item)));
}

function isAmong(others: readonly Item[], item: Item, step: number): boolean {
  for (let i = 0; i < others.length; i++) if (isSameFrom(step, item, others[i] as Item)) return true;
  return false;
}

function headerNames(items: readonly Item[], grpc: boolean): readonly string[] {
  const names = new Set(items.flatMap(({ conditions }) => conditions.headers.map(({ name }) => name)));
  // These are looked at with the upgrade.
  for (const each of UPGRADE_HEADERS) names.delete(each);
  if (grpc) names.add(CONTENT_TYPE);
  return [...names].sort();
}

/** By a step that is looked at. Null = it makes no difference. */
function splitBy(
  name: Exclude<(typeof STEPS)[number], "headers" | "whens">,
  items: readonly Item[],
  { kind, atMs, fallbacks, open, structure }: Corner,
  splits: SplitCache,
): Split | "too many" | null {
  switch (name) {
    case "methods":
      return splitMethods(items, splits);
    case "paths":
      return splitPaths(items, MOST_PATHS, splits) ?? "too many";
    case "times":
      return splitTimes(items, atMs, splits);
    default: {
      const passes =
        structure || open || fallbacks.some((each) => each !== "deny") || items.some((each) => !each.denies);
      return kind === "http" && passes ? splitUpgrades(items, splits) : null;
    }
  }
}

const MOST_PATHS = 100_000;

/** Explores each atom of a split and puts together again what changes alike. */
function apart(
  split: Split,
  old: readonly Item[],
  now: readonly Item[],
  sample: Sample,
  within: (old: readonly Item[], now: readonly Item[], sample: Sample) => readonly Box[],
): readonly Box[] {
  const groups = new Map<string, { readonly atoms: Atom[]; readonly boxes: Box[] }>();
  for (let i = 0; i < split.atoms.length; i++) {
    const atom = split.atoms[i] as Atom;
    const { fill, lets } = atom;
    const boxes = within(those(old, lets), those(now, lets), fill(sample));
    for (let j = 0; j < boxes.length; j++) {
      const box = boxes[j] as Box;
      const known = groups.get(box.text);
      if (known === undefined) groups.set(box.text, { atoms: [atom], boxes: [box] });
      else {
        known.atoms.push(atom);
        known.boxes.push(box);
      }
    }
  }
  if (groups.size === 0) return NO_BOXES;
  return Array.from(groups.values(), ({ atoms, boxes }) => {
    const box = joinBoxes(boxes);
    if (atoms.length === split.atoms.length) return box;
    const [only] = atoms;
    const labels = only !== undefined && atoms.length === 1 ? only.labels : atoms.flatMap((each) => each.labels);
    return narrowed(box, split.part(labels));
  });
}

const NO_BOXES: readonly Box[] = [];
const NO_ITEMS: readonly Item[] = [];
const NO_HEADERS: Sample["headers"] = [];

/** The items that pass; most often all or none do. */
function those(items: readonly Item[], pass: (item: Item) => boolean): readonly Item[] {
  if (items.every(pass)) return items;
  return items.some(pass) ? items.filter(pass) : NO_ITEMS;
}

function inputOf({ kind, principal, host, port }: Corner, { method, path, headers }: Sample): CheckInput {
  return { kind, principal, host, port: String(port), method, path, headers };
}

function decided(corner: Corner, sample: Sample, judge: Judge): readonly Box[] {
  const { atMs } = sample;
  const input = inputOf(corner, sample);
  const [was, now] = judge.decide(input, atMs);
  const change = changeOf(was, now);
  if (change === null) return NO_BOXES;
  return [boxOf(change, { input, atMs, was: was.decision(), now: now.decision(), confirmed: true })];
}

/**
 * Where expressions decide, for each change that is possible: what an expression reads can be anything, so which requests
 * change is not said, and it may be none.
 */
function assumed(corner: Corner, sample: Sample, judge: Judge, ways: readonly Truths[]): readonly Box[] {
  const { atMs } = sample;
  const input = inputOf(corner, sample);
  const [own, other] = judge.decide(input, atMs);
  const real = [own.decision(), other.decision()] as const;
  const texts = [...new Set(ways.flatMap((each) => each.flatMap((truths) => [...truths.keys()])))].sort();
  const found = new Map<Change, Box>();
  for (const way of ways) {
    const [was, now] = judge.decideAssuming(input, atMs, way);
    const change = changeOf(was, now);
    if (change === null || found.has(change)) continue;
    const confirmed = changeOf(...real) === change;
    const [before, after] = confirmed ? real : [was, now];
    const box = boxOf(change, { input, atMs, was: before, now: after, confirmed });
    found.set(change, narrowed(box, createPart("expressions", texts, [])));
  }
  return [...found.values()];
}

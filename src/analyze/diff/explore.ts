import type { CheckInput, CheckKind, Decision } from "../../pdp/decision.ts";
import { type Fallback, readsRequest } from "../../policy/model.ts";
import { CONTENT_TYPE, UPGRADE_HEADERS } from "../atoms/header-atoms.ts";
import { type Change, changeOf } from "../change.ts";
import {
  type Sample,
  type Split,
  splitHeader,
  splitMethods,
  splitPaths,
  splitTimes,
  splitUpgrades,
} from "./dimensions.ts";
import { expressionsOf, MOST_WAYS, type Truths, waysOf } from "./expressions.ts";
import { partWords } from "./part-words.ts";
import { type Item, STEPS } from "./side.ts";

/** Of a split: the labels of the atoms that are in a box, and of those that are not. */
export interface Part {
  readonly of: Split["of"];
  readonly in: readonly string[];
  readonly out: readonly string[];
}

/** A request that fares so, and what both sets say to it. */
export interface Witness {
  readonly input: CheckInput;
  readonly atMs: number;
  readonly was: Decision;
  readonly now: Decision;
  /** Whether it does so as it is, or only if expressions came to what is assumed of them. */
  readonly confirmed: boolean;
}

/** Requests that change alike. Splits that make no difference are not among the parts. */
export interface Box {
  readonly change: Change;
  readonly parts: readonly Part[];
  readonly was: ReadonlySet<string>;
  readonly now: ReadonlySet<string>;
  readonly witness: Witness;
}

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
  decide(input: CheckInput, atMs: number): readonly [Decision, Decision];
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
export function explore(corner: Corner, old: readonly Item[], now: readonly Item[], judge: Judge): readonly Box[] {
  const { kind, atMs } = corner;
  const http = kind === "http";
  const empty: Sample = {
    method: http ? "GET" : "",
    path: http ? "/" : "",
    headers: [],
    atMs,
  };
  // Where method, path and headers cannot be seen, conditions on them are in doubt.
  const [olds, nows] = http
    ? [old, now]
    : [old, now].map((items) => items.filter((item) => item.denies || !looks(item)));
  let left = judge.most;

  function walk(step: number, one: readonly Item[], other: readonly Item[], sample: Sample): readonly Box[] {
    if (left <= 0) return [];
    if (isSettled(corner, step, one, other)) return [];
    const name = STEPS[step];
    if (name === undefined) {
      left -= 1;
      return decided(corner, sample, judge);
    }
    if (name === "whens") {
      const expressions = expressionsOf(corner, one, other);
      if (expressions.length === 0) return walk(step + 1, one, other, sample);
      const ways = waysOf(expressions);
      left = ways.length > MOST_WAYS ? 0 : left - ways.length;
      return left <= 0 ? [] : assumed(corner, sample, judge, ways);
    }
    const both = [...one, ...other];
    if (name === "headers") return walkHeaders(headerNames(both, corner.grpc), one, other, sample);
    const split = splitBy(name, both, corner);
    if (split === null) {
      left = 0;
      return [];
    }
    if (split.atoms.length === 0) return walk(step + 1, one, other, sample);
    return apart(split, one, other, sample, (a, b, filled) => walk(step + 1, a, b, filled));
  }

  function walkHeaders(
    names: readonly string[],
    one: readonly Item[],
    other: readonly Item[],
    sample: Sample,
  ): readonly Box[] {
    const [name, ...more] = names;
    if (name === undefined) return walk(STEPS.indexOf("headers") + 1, one, other, sample);
    const split = splitHeader([...one, ...other], name, corner.grpc, corner.host);
    return apart(split, one, other, sample, (a, b, filled) => walkHeaders(more, a, b, filled));
  }

  const found = walk(http ? 0 : STEPS.indexOf("times"), olds ?? [], nows ?? [], empty);
  if (left <= 0) judge.give(corner);
  return found;
}

function looks({ conditions: { methods, paths, headers }, when }: Item): boolean {
  return methods !== null || paths !== null || headers.length > 0 || (when !== null && readsRequest(when.reads));
}

/** Is there nothing left that could make a difference? */
function isSettled(
  { structure, fallbacks, open }: Corner,
  step: number,
  old: readonly Item[],
  now: readonly Item[],
): boolean {
  // Nobody lets anything pass.
  const closed = !open && fallbacks.every((each) => each === "deny");
  if (closed && old.every(({ denies }) => denies) && now.every(({ denies }) => denies)) return true;
  if (structure) return false;
  return within(old, now, step) && within(now, old, step);
}

/** So short lists are compared one by one. */
const SHORT = 8;

/** Is all that is left of each of these items left of one of those too? */
function within(items: readonly Item[], others: readonly Item[], step: number): boolean {
  if (others.length <= SHORT) return items.every(({ rest }) => others.some((each) => each.rest[step] === rest[step]));
  const known = new Set(others.map(({ rest }) => rest[step]));
  return items.every(({ rest }) => known.has(rest[step]));
}

function headerNames(items: readonly Item[], grpc: boolean): readonly string[] {
  const names = new Set(items.flatMap(({ conditions }) => conditions.headers.map(({ name }) => name)));
  // These are looked at with the upgrade.
  for (const each of UPGRADE_HEADERS) names.delete(each);
  if (grpc) names.add(CONTENT_TYPE);
  return [...names].sort();
}

const NOTHING: Pick<Split, "atoms"> = { atoms: [] };

/** No atoms: nothing is looked at. Null: there are too many. */
function splitBy(
  name: Exclude<(typeof STEPS)[number], "headers" | "whens">,
  items: readonly Item[],
  { kind, atMs, fallbacks, open, structure }: Corner,
): Split | null {
  const none = { of: name, ...NOTHING };
  switch (name) {
    case "methods":
      return items.some(({ conditions }) => conditions.methods !== null) ? splitMethods(items) : none;
    case "paths":
      return items.some(({ conditions }) => conditions.paths !== null) ? splitPaths(items, MOST_PATHS) : none;
    case "times":
      return items.some((each) => each.notBefore !== null || each.expires !== null) ? splitTimes(items, atMs) : none;
    default: {
      const passes =
        structure || open || fallbacks.some((each) => each !== "deny") || items.some((each) => !each.denies);
      return kind === "http" && passes ? splitUpgrades(items) : none;
    }
  }
}

const MOST_PATHS = 100_000;

/** Explores each atom of a split and puts together again what changes alike. */
function apart(
  { of, atoms }: Split,
  old: readonly Item[],
  now: readonly Item[],
  sample: Sample,
  within: (old: readonly Item[], now: readonly Item[], sample: Sample) => readonly Box[],
): readonly Box[] {
  const groups = new Map<string, { readonly first: Box; readonly labels: string[]; readonly boxes: Box[] }>();
  for (const { label, fill, lets } of atoms) {
    for (const box of within(old.filter(lets), now.filter(lets), fill(sample))) {
      const key = JSON.stringify([box.change, partWords(box.parts)]);
      const known = groups.get(key);
      if (known === undefined) groups.set(key, { first: box, labels: [label], boxes: [box] });
      else {
        known.labels.push(label);
        known.boxes.push(box);
      }
    }
  }
  return [...groups.values()].map(({ first, labels, boxes }) => {
    const whole = labels.length === atoms.length;
    const inside = new Set(labels);
    const out = whole ? [] : atoms.flatMap(({ label }) => (inside.has(label) ? [] : [label]));
    return {
      ...first,
      witness: bestWitness(boxes),
      parts: whole ? first.parts : [{ of, in: labels, out }, ...first.parts],
      was: new Set(boxes.flatMap((each) => [...each.was])),
      now: new Set(boxes.flatMap((each) => [...each.now])),
    };
  });
}

/** One that changes as it is, where there is one. */
export function bestWitness(boxes: readonly Box[]): Witness {
  const [first] = boxes;
  if (first === undefined) throw new RangeError("there is no box");
  return (boxes.find(({ witness }) => witness.confirmed) ?? first).witness;
}

function inputOf({ kind, principal, host, port }: Corner, { method, path, headers }: Sample): CheckInput {
  return { kind, principal, host, port: String(port), method, path, headers };
}

function decided(corner: Corner, sample: Sample, judge: Judge): readonly Box[] {
  const { atMs } = sample;
  const input = inputOf(corner, sample);
  const [was, now] = judge.decide(input, atMs);
  const change = changeOf(was, now);
  return change === null ? [] : [boxOf(change, [], { input, atMs, was, now, confirmed: true })];
}

/**
 * Where expressions decide, for each change that is possible: what an expression reads can be anything, so which requests
 * change is not said, and it may be none.
 */
function assumed(corner: Corner, sample: Sample, judge: Judge, ways: readonly Truths[]): readonly Box[] {
  const { atMs } = sample;
  const input = inputOf(corner, sample);
  const real = judge.decide(input, atMs);
  const texts = [...new Set(ways.flatMap((each) => each.flatMap((truths) => [...truths.keys()])))].sort();
  const found = new Map<Change, Box>();
  for (const way of ways) {
    const [was, now] = judge.decideAssuming(input, atMs, way);
    const change = changeOf(was, now);
    if (change === null || found.has(change)) continue;
    const confirmed = changeOf(...real) === change;
    const [before, after] = confirmed ? real : [was, now];
    const part: Part = { of: "expressions", in: texts, out: [] };
    found.set(change, boxOf(change, [part], { input, atMs, was: before, now: after, confirmed }));
  }
  return [...found.values()];
}

function boxOf(change: Change, parts: readonly Part[], witness: Witness): Box {
  const { was, now } = witness;
  const shadow = change.startsWith("shadow");
  const rulesOf = (decision: Decision): ReadonlySet<string> => new Set(shadow ? decision.shadowRules : decision.rules);
  return { change, parts, was: rulesOf(was), now: rulesOf(now), witness };
}

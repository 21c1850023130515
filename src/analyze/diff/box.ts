import type { CheckInput, Decision } from "../../pdp/decision.ts";
import type { Change } from "../change.ts";
import type { Part } from "./part-words.ts";

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
  /** The parts in words, how it is asked for, and the change: boxes of the same text are the same to whoever reads of them. */
  readonly text: string;
  /** The rules that decide under either set, each once. */
  readonly was: readonly string[];
  readonly now: readonly string[];
  readonly witness: Witness;
}

/** All requests that are like this one. */
export function boxOf(change: Change, witness: Witness): Box {
  const { was, now } = witness;
  const shadow = change.startsWith("shadow");
  const rulesOf = ({ rules, shadowRules }: Decision): readonly string[] => distinct(shadow ? shadowRules : rules);
  return { change, parts: [], text: `${witness.input.kind} ${change}`, was: rulesOf(was), now: rulesOf(now), witness };
}

/** Those of its requests that are in the part. */
export function narrowed(box: Box, part: Part): Box {
  return { ...box, parts: [part, ...box.parts], text: part.before(box.text) };
}

/** Boxes of the same text as one, with a witness that changes as it is where there is one. @throws RangeError when there is none */
export function joinBoxes(boxes: readonly Box[]): Box {
  const [first] = boxes;
  if (first === undefined) throw new RangeError("there is no box");
  if (boxes.length === 1) return first;
  return {
    ...first,
    witness: (boxes.find(({ witness }) => witness.confirmed) ?? first).witness,
    was: distinct(boxes.flatMap(({ was }) => was)),
    now: distinct(boxes.flatMap(({ now }) => now)),
  };
}

function distinct(ids: readonly string[]): readonly string[] {
  return ids.length < 2 ? ids : [...new Set(ids)];
}

import type { HeaderPair } from "../../pdp/decision.ts";
import { createPart, type Part } from "./part-words.ts";
import type { Item } from "./side.ts";

/** What a request is asked with; filled in step by step. */
export interface Sample {
  readonly method: string;
  readonly path: string;
  readonly headers: readonly HeaderPair[];
  readonly atMs: number;
}

/** Requests that the conditions of one kind cannot tell apart. */
export interface Atom {
  /** Of its kind: what tells it from the others, for people and programs. Several where it is several things that nothing tells apart. */
  readonly labels: readonly string[];
  readonly fill: (sample: Sample) => Sample;
  /** Can the item match such a request, as far as this kind of condition goes? */
  readonly lets: (item: Item) => boolean;
}

/** A way to take requests apart, by one kind of condition. */
export interface Split {
  readonly atoms: readonly Atom[];
  /** The part that is the atoms of these labels. */
  part(labels: readonly string[]): Part;
}

export function createSplit(of: Part["of"], atoms: readonly Atom[]): Split {
  const parts = new Map<string, Part>();
  return {
    atoms,
    part(labels) {
      const [only = ""] = labels;
      const key = labels.length === 1 ? only : JSON.stringify(labels);
      const known = parts.get(key);
      if (known !== undefined) return known;
      const inside = new Set(labels);
      const out = atoms.flatMap(({ labels: each }) => each.filter((label) => !inside.has(label)));
      const made = createPart(of, labels, out);
      parts.set(key, made);
      return made;
    },
  };
}

/** Keeps splits by what they tell apart: most rules of a set look at the same few things. */
export interface SplitCache {
  get<T extends Split | null>(key: string, make: () => T): Split | T;
}

/** So many atoms are kept before all are forgotten. */
const MOST_ATOMS = 100_000;

export function createSplitCache(): SplitCache {
  const kept = new Map<string, Split>();
  let atoms = 0;
  return {
    get(key, make) {
      const known = kept.get(key);
      if (known !== undefined) return known;
      const made = make();
      if (made === null) return made;
      atoms += made.atoms.length;
      if (atoms > MOST_ATOMS) {
        kept.clear();
        atoms = made.atoms.length;
      }
      kept.set(key, made);
      return made;
    },
  };
}

import { hashEnd } from "./hash.ts";

/** One rule target seen from one subject: what the engine evaluates. */
export interface PairItem {
  readonly rule: number;
  /** Matcher number, or -1 for none. */
  readonly matcher: number;
  readonly flags: number;
  readonly scope: number;
}

/** The rules that a (subject, target) pair shares, in the order added. */
export interface PairIndex {
  add(subject: number, target: number, item: PairItem): void;
  readonly subjects: readonly number[];
  readonly targets: readonly number[];
  readonly lists: readonly (readonly PairItem[])[];
  itemCount(): number;
}

/** Pairs are told apart by one number: ids stay under 2^26. */
const STRIDE = 2 ** 26;

export function createPairIndex(): PairIndex {
  const pairs = new Map<number, PairItem[]>();
  const subjects: number[] = [];
  const targets: number[] = [];
  const lists: PairItem[][] = [];
  let count = 0;
  return {
    subjects,
    targets,
    lists,
    itemCount: () => count,
    add(subject, target, item) {
      if (subject >= STRIDE || target >= STRIDE) throw new RangeError("too many subjects or targets for a bundle");
      const key = subject * STRIDE + target;
      count++;
      const known = pairs.get(key);
      if (known !== undefined) {
        known.push(item);
        return;
      }
      const list = [item];
      pairs.set(key, list);
      lists.push(list);
      subjects.push(subject);
      targets.push(target);
    },
  };
}

/** The ended hash by which the engine looks a pair up. */
export function pairHash(seed: number, subject: number, target: number): number {
  return hashEnd(seed, subject, target);
}

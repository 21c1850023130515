/** Tells by length and first byte alone which header names are surely not among some. */
export interface NameFilter {
  /** Whether a name of so many bytes that starts with this one can be among the names. */
  mayHold(length: number, first: number): boolean;
}

/** Longer names share the last place. */
const MAX_LENGTH = 63;

/** A filter for `names`, which are ASCII; the case of what it is asked about does not matter. */
export function createNameFilter(names: Iterable<string>): NameFilter {
  // For each length a bit for each first character, by its low five bits, which both cases of a letter share.
  const firsts = new Uint32Array(MAX_LENGTH + 1);
  for (const name of names) {
    const length = Math.min(name.length, MAX_LENGTH);
    firsts[length] = (firsts[length] ?? 0) | (1 << (name.charCodeAt(0) & 31));
  }
  return {
    mayHold: (length, first) => (((firsts[length < MAX_LENGTH ? length : MAX_LENGTH] ?? 0) >>> (first & 31)) & 1) === 1,
  };
}

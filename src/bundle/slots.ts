/** Open addressing with linear probing: which entry sits in which slot. */
export interface Slots {
  /** A power of two, more than 1.3 times the number of entries. */
  readonly count: number;
  /** Index + 1 of the entry in each slot; 0 = empty. */
  readonly entries: Uint32Array;
  /** The most slots a look-up visits before it finds its entry. */
  readonly longest: number;
}

/** Places entries by their ended hashes, in order. */
export function placeInSlots(hashes: Uint32Array): Slots {
  let count = 2;
  while (count < hashes.length * 1.3 + 1) count *= 2;
  const entries = new Uint32Array(count);
  let longest = 0;
  for (let i = 0; i < hashes.length; i++) {
    let slot = (hashes[i] ?? 0) & (count - 1);
    let visited = 1;
    while (entries[slot] !== 0) {
      slot = (slot + 1) & (count - 1);
      visited++;
    }
    entries[slot] = i + 1;
    if (visited > longest) longest = visited;
  }
  return { count, entries, longest };
}

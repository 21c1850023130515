/** Puts lists into words that only lists of the same entries share. */
export type ListText = <T>(list: readonly T[] | null, of?: (each: T) => unknown) => string;

/** JSON of lists; of one that many have in common, and of what most rules say nothing about, at once. */
export function createListText(): ListText {
  const known = new Map<readonly unknown[], string>();
  return (list, of) => {
    if (list === null) return "null";
    if (list.length === 0) return "[]";
    const found = known.get(list);
    if (found !== undefined) return found;
    const text = JSON.stringify(of === undefined ? list : list.map(of));
    known.set(list, text);
    return text;
  };
}

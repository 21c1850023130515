/** Finds wanted names in messages without making a text of every other name. */
export interface WantedNames {
  /** The wanted name that these bytes spell, or null. */
  find(bytes: Buffer, start: number, end: number): string | null;
}

/** Longer names share the last place. */
const MAX_LENGTH = 63;
const NOTHING: readonly string[] = [];

/** A finder of `names`, which are ASCII in lower case; of header names in whichever case, of others as they are written. */
export function createWantedNames(names: Iterable<string>, fold: "fold" | "exact" = "fold"): WantedNames {
  const wanted = new Set(names);
  const byLength: string[][] = Array.from({ length: MAX_LENGTH + 1 }, () => []);
  for (const name of wanted) byLength[Math.min(name.length, MAX_LENGTH)]?.push(name);
  return {
    find(bytes, start, end) {
      for (const name of byLength[Math.min(end - start, MAX_LENGTH)] ?? NOTHING) {
        if (name.length === end - start && spells(bytes, start, name, fold === "fold")) return name;
      }
      return null;
    },
  };
}

function spells(bytes: Buffer, start: number, name: string, isFolded: boolean): boolean {
  for (let at = 0; at < name.length; at += 1) {
    const byte = bytes[start + at] ?? 0;
    const lower = isFolded && byte >= 0x41 && byte <= 0x5a ? byte | 0x20 : byte;
    if (lower !== name.charCodeAt(at)) return false;
  }
  return true;
}

const MOST = 50;

/** A name that the language accepts, as near to `text` as can be. */
export function nameFrom(text: string): string {
  const name = text
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, "-")
    .replace(/^-+/, "")
    .slice(0, MOST)
    .replace(/-+$/, "");
  return name === "" ? "unnamed" : name;
}

/** Hands out names that are all different: `stripe`, `stripe-2`. */
export function createNames(taken: Iterable<string> = []): (text: string) => string {
  const used = new Set(taken);
  const next = new Map<string, number>();
  return (text) => {
    const base = nameFrom(text);
    let name = base;
    let n = next.get(base) ?? 2;
    for (; used.has(name); n += 1) name = `${base}-${n}`;
    next.set(base, n);
    used.add(name);
    return name;
  };
}

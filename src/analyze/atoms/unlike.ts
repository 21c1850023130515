/** The first of `preferred`, or of its last with a number behind, that is none of `taken`. `preferred` is not empty. */
export function unlike(taken: ReadonlySet<string>, ...preferred: readonly [string, ...string[]]): string {
  const free = preferred.find((each) => !taken.has(each));
  if (free !== undefined) return free;
  const base = preferred.at(-1) ?? "";
  for (let number = 2; ; number++) if (!taken.has(`${base}${number}`)) return `${base}${number}`;
}

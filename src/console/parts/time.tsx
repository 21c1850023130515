import type { JSX } from "preact";

/** An instant, in UTC as everywhere in the trail. */
export function Time({ of }: { readonly of: string | number }): JSX.Element {
  const iso = new Date(of).toISOString();
  return <time dateTime={iso}>{iso.slice(0, 19).replace("T", " ")}</time>;
}

import type { JSX } from "preact";

/** An effect in a word and a colour: never in the colour alone. */
export function Effect({ of }: { readonly of: string }): JSX.Element {
  return <span class={`effect ${of}`}>{of}</span>;
}

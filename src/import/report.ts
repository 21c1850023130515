import type { Imported } from "./imported.ts";
import type { ImportNote } from "./note.ts";
import { settleClaims } from "./registry.ts";
import { indexClaims, targetsOf } from "./rule-targets.ts";

/** All notes of an import, by their places: also on what turns out to decide nothing once the registry is settled. */
export function reportOf({ set, notes }: Imported & { readonly ok: true }): readonly ImportNote[] {
  const { claims, lost } = settleClaims(set.claims);
  const index = indexClaims(claims);
  const idle = set.policies
    .flatMap(({ rules }) => rules)
    .filter((rule) => rule.aims !== null && targetsOf(rule, index).length === 0)
    .map(({ name, effect, at }): ImportNote => {
      const message = `${effect} \`${name}\` is about no host and port that is registered: left out`;
      return { code: "aims-at-nothing", at, message };
    });
  const twice = lost.map(({ pattern, port, at }): ImportNote => {
    const message = `\`${pattern}\` on port ${port} is described before in another way, which counts`;
    return { code: "described-twice", at, message };
  });
  const keyed = new Map([...notes, ...idle, ...twice].map((note) => [keyOf(note), note]));
  return [...keyed].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, note]) => note);
}

function keyOf({ at, code, message }: ImportNote): string {
  const number = (n: number): string => String(n).padStart(9, "0");
  return [at.file, number(at.line), number(at.column), code, message].join("\0");
}

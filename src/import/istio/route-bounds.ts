import { patternCovers } from "../../policy/host-pattern.ts";
import type { Claim, DraftRule } from "../draft.ts";
import { patternsMeet } from "../hosts.ts";
import type { Atom } from "./allow.ts";
import { both } from "./approximate.ts";
import { pathCovers } from "./deny.ts";
import type { RouteBound } from "./routes.ts";

type Conditions = Pick<Atom, "methods" | "paths" | "headers">;

/** What of an allow routes let through: the part of it that each of the bounds takes. */
export function throughRoutes(atom: Atom, bounds: readonly RouteBound[]): readonly Atom[] {
  return bounds.reduce<readonly Atom[]>(
    (atoms, { passages }) => {
      const parts = atoms.flatMap((each) => passages.flatMap((passage) => part(each, passage)));
      return [...new Map(parts.map((each) => [keyOf(each), each])).values()];
    },
    [atom],
  );
}

/** What routes stop of a claim, as denies; with the name of the policy. */
export function stopsOf(
  claim: Claim,
  bounds: readonly RouteBound[],
): readonly (DraftRule & { readonly policy: string })[] {
  return bounds.flatMap(({ stops }) =>
    stops.map(({ name, from, pattern, methods, paths, headers, at }) => {
      const aims = [{ pattern, ports: [claim.port], protocol: claim.protocol }];
      return { policy: name, name, effect: "deny" as const, from, aims, methods, paths, headers, at };
    }),
  );
}

/** The part of an allow that a passage takes; none where it is empty or cannot be said. */
function part(atom: Atom, passage: RouteBound["passages"][number]): readonly Atom[] {
  // Whoever has no name at the gateway matches no allow that asks for one.
  if (passage.anonymous && atom.byName) return [];
  if (!patternsMeet(atom.pattern, passage.pattern)) return [];
  const pattern = patternCovers(passage.pattern, atom.pattern) ? atom.pattern : passage.pattern;
  const conditions = meet(atom, passage);
  if (conditions === null) return [];
  const from = passage.from === null ? [atom.from] : both([atom.from], passage.from);
  return from.map((each) => ({ ...atom, ...conditions, from: each, pattern }));
}

function meet(one: Conditions, other: Conditions): Conditions | null {
  const methods = common(one.methods, other.methods, (a, b) => (a === b ? a : null));
  const paths = common(one.paths, other.paths, (a, b) => (pathCovers(a, b) ? b : pathCovers(b, a) ? a : null));
  const headers: Record<string, readonly string[]> = { ...one.headers };
  for (const [name, values] of Object.entries(other.headers ?? {})) {
    const said = Object.hasOwn(headers, name) ? headers[name] : undefined;
    headers[name] = said === undefined ? values : said.filter((each) => values.includes(each));
  }
  if (methods?.length === 0 || paths?.length === 0 || Object.values(headers).some(({ length }) => length === 0))
    return null;
  return { methods, paths, headers: Object.keys(headers).length === 0 ? null : headers };
}

/** What two lists have in common; null = anything. */
function common(
  one: readonly string[] | null,
  other: readonly string[] | null,
  meeting: (a: string, b: string) => string | null,
): readonly string[] | null {
  if (one === null) return other;
  if (other === null) return one;
  return [...new Set(one.flatMap((a) => other.flatMap((b) => meeting(a, b) ?? [])))];
}

function keyOf({ from, pattern, methods, paths, headers }: Atom): string {
  return JSON.stringify([from, pattern, methods, paths, headers]);
}

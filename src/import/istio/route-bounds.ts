import { patternCovers } from "../../policy/host-pattern.ts";
import type { Claim, DraftRule } from "../draft.ts";
import { patternsMeet } from "../hosts.ts";
import type { Atom, Tell } from "./allow.ts";
import { both } from "./approximate.ts";
import { pathCovers, pathsMeet } from "./deny.ts";
import type { RouteBound } from "./routes.ts";

type Conditions = Pick<Atom, "methods" | "paths" | "headers">;

/** What of an allow routes let through: the part of it that each of the bounds takes. Tells what is lost for want of a word. */
export function throughRoutes(atom: Atom, bounds: readonly RouteBound[], tell: Tell): readonly Atom[] {
  return bounds.reduce<readonly Atom[]>(
    (atoms, { passages }) => {
      const parts = atoms.flatMap((each) => passages.flatMap((passage) => part(each, passage, tell)));
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
function part(atom: Atom, passage: RouteBound["passages"][number], tell: Tell): readonly Atom[] {
  if (!patternsMeet(atom.pattern, passage.pattern)) return [];
  // Whoever has no name at the gateway matches no allow that asks for one.
  if (passage.anonymous && atom.byName) {
    const where = `a server where the gateway knows nobody's name`;
    tell("route-narrowed", `\`${atom.pattern}\` is reached by ${where}: an allow by name does not open it`);
    return [];
  }
  const pattern = patternCovers(passage.pattern, atom.pattern) ? atom.pattern : passage.pattern;
  const conditions = meet(atom, passage, tell);
  if (conditions === null) return [];
  const from = passage.from === null ? [atom.from] : both([atom.from], passage.from);
  return from.map((each) => ({ ...atom, ...conditions, from: each, pattern }));
}

function meet(one: Conditions, other: Conditions, tell: Tell): Conditions | null {
  const methods = common(one.methods, other.methods, (a, b) => (a === b ? a : null));
  const paths = common(one.paths, other.paths, (a, b) => commonPath(a, b, tell));
  const headers = new Map(Object.entries(one.headers ?? {}));
  for (const [name, values] of Object.entries(other.headers ?? {})) {
    headers.set(name, headers.get(name)?.filter((each) => values.includes(each)) ?? values);
  }
  if ([methods, paths, ...headers.values()].some((each) => each?.length === 0)) return null;
  return { methods, paths, headers: headers.size === 0 ? null : Object.fromEntries(headers) };
}

function commonPath(one: string, other: string, tell: Tell): string | null {
  if (pathCovers(one, other)) return other;
  if (pathCovers(other, one)) return one;
  if (pathsMeet(one, other)) {
    tell(
      "route-narrowed",
      `what paths \`${one}\` of an allow and \`${other}\` of a route have in common is not opened`,
    );
  }
  return null;
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

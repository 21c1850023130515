import type { IdentitySelector } from "../../policy/model.ts";
import { selectorCovers, selectorsMeet } from "../subjects.ts";
import {
  type Approximation,
  accountsOf,
  type Bound,
  both,
  everyone,
  type Identities,
  namespacesOf,
  principalsOf,
} from "./approximate.ts";
import type { Match, Values } from "./match.ts";

/** Whom a match is for. */
export interface Subjects {
  /** Null = nobody in particular: everyone. */
  readonly any: readonly IdentitySelector[] | null;
  /** Exceptions: whoever is in one of the lists. */
  readonly none: readonly IdentitySelector[];
  /** Is there a list of exceptions, though perhaps of none that could be said? */
  readonly hasNone: boolean;
  readonly exact: boolean;
}

/**
 * Reads the identities of a match. For an allow (`within`) no more than they mean, with exceptions that are no less; for a
 * deny (`around`) the other way round.
 */
export function subjectsOf(match: Match, bound: Bound, namespace: string, identities: Identities): Subjects {
  const opposite: Bound = bound === "within" ? "around" : "within";
  const kinds: readonly [
    readonly Values[],
    (values: readonly string[], bound: Bound) => Approximation<IdentitySelector>,
  ][] = [
    [match.principals, (values, how) => principalsOf(values, how, identities)],
    [match.namespaces, (values, how) => namespacesOf(values, how, identities)],
    [match.accounts, (values) => accountsOf(values, namespace, identities)],
  ];
  let any: readonly IdentitySelector[] | null = null;
  const none: IdentitySelector[] = [];
  let exact = true;
  let hasNone = false;
  for (const [conditions, read] of kinds) {
    for (const values of conditions) {
      if (values.any !== null) {
        const said = read(values.any, bound);
        any = any === null ? said.values : both(any, said.values);
        exact &&= said.exact;
      }
      if (values.none !== null) {
        hasNone = true;
        const said = read(values.none, opposite);
        none.push(...said.values);
        exact &&= said.exact;
      }
    }
  }
  return { any, none, hasNone, exact };
}

/** The workloads of an allow: without its exceptions, as far as those can be taken out. */
export function allowedSubjects(
  { any, none }: Subjects,
  identities: Identities,
): { readonly from: readonly IdentitySelector[]; readonly exact: boolean } {
  const all = any ?? [everyone(identities)];
  const from = all.filter((each) => !none.some((other) => selectorsMeet(each, other)));
  const lost = all.filter((each) => !from.includes(each) && !none.some((other) => selectorCovers(other, each)));
  return { from, exact: lost.length === 0 };
}

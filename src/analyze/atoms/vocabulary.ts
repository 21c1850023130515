import type { PolicySet } from "../../policy/model.ts";

/** What the rules of some sets name of requests, beside targets, methods and paths. */
export interface Vocabulary {
  /** Values by header name. */
  readonly headers: ReadonlyMap<string, ReadonlySet<string>>;
  readonly upgrades: ReadonlySet<string>;
  /** Headers that expressions read, of which any two values may be told apart. */
  readonly opaque: ReadonlySet<string>;
}

/** Reads it out of all rules, whomever they are for. */
export function vocabularyOf(sets: readonly PolicySet[]): Vocabulary {
  const headers = new Map<string, Set<string>>();
  const upgrades = new Set<string>();
  const rules = sets.flatMap(({ policies }) => policies.flatMap((policy) => policy.rules));
  const opaque = new Set(rules.flatMap(({ when }) => when?.reads.headers ?? []));
  for (const { to, upgrades: named } of rules) {
    for (const each of named) upgrades.add(each);
    for (const { name, values } of (to ?? []).flatMap((target) => target.headers)) {
      const known = headers.get(name) ?? new Set();
      headers.set(name, known);
      for (const value of values) known.add(value);
    }
  }
  return { headers, upgrades, opaque };
}

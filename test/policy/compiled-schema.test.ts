import { readFileSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { parseAllDocuments } from "yaml";
import { checkerOf, compiled } from "../../src/policy/schema/compiled.ts";
import { isKind, KINDS, type Kind } from "../../src/policy/schema/kinds.ts";
import { readPolicyDirectory } from "../../src/server/read-policies.ts";
import { REPOSITORY } from "../cli/run-cli.ts";

/** Every document of the shipped policies, as plain values. */
const DOCUMENTS = (await readPolicyDirectory(join(REPOSITORY, "policies")))
  .flatMap(({ path }) => parseAllDocuments(readFileSync(join(REPOSITORY, "policies", path), "utf8")))
  .map((document) => document.toJS() as Record<string, unknown>);

/** Somewhere within a value: which of its parts, then which of that part's, and so on. */
const places = fc.array(fc.nat(20), { minLength: 1, maxLength: 6 });
const strange = fc.oneof(fc.jsonValue(), fc.constantFrom("", undefined, "x".repeat(2_000), [], {}, 0, 65_536, "a\nb"));

/** The value with something else at a place, or without what stands there, or with one thing more. */
function changed(value: unknown, [first = 0, ...rest]: readonly number[], to: unknown): unknown {
  if (typeof value !== "object" || value === null) return to;
  const keys = Object.keys(value);
  const copy: Record<string, unknown> = Array.isArray(value) ? ([...value] as never) : { ...value };
  const key = keys[first % (keys.length + 1)];
  if (key === undefined) copy[Array.isArray(value) ? String(value.length) : "more"] = to;
  else if (rest.length === 0 && to === undefined) delete copy[key];
  else copy[key] = rest.length === 0 ? to : changed(copy[key], rest, to);
  return copy;
}

describe("the code that is made for a kind", () => {
  it("takes, refuses, fills in and complains of the same as its schema", () => {
    const kinds = Object.keys(KINDS) as Kind[];
    const code = new Map(kinds.map((kind) => [kind, compiled(kind)]));
    const verdicts = { taken: 0, refused: 0 };
    fc.assert(
      fc.property(
        fc.constantFrom(...DOCUMENTS),
        fc.array(fc.tuple(places, strange), { maxLength: 2 }),
        (from, edits) => {
          const { kind } = from;
          if (!isKind(kind)) throw new Error("a shipped document has no kind");
          const document = edits.reduce<unknown>((value, [place, to]) => changed(value, place, to), from);
          const expected = KINDS[kind].safeParse(document);
          expect(code.get(kind)?.safeParse(document)).toEqual(expected);
          verdicts[expected.success ? "taken" : "refused"] += 1;
        },
      ),
      { seed: 20261201, numRuns: 3_000 },
    );
    expect(Math.min(verdicts.taken, verdicts.refused)).toBeGreaterThan(500);
  });

  it("is made for kinds of which there are many documents", () => {
    const checkers = Array.from({ length: 30 }, () => checkerOf("IdentityGroup"));
    expect(checkers[0]).toBe(KINDS.IdentityGroup);
    expect(checkers.at(-1)).not.toBe(KINDS.IdentityGroup);
    expect(new Set(checkers).size).toBe(2);
  });
});

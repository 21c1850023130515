import * as fc from "fast-check";
import { expect, test } from "vitest";
import { pathAtoms } from "../../src/analyze/atoms/path-atoms.ts";
import { parsePathPattern } from "../../src/policy/path-pattern.ts";
import { truthsOf } from "../oracle/conditions.ts";
import { request } from "../oracle/sample.ts";
import { budgetFor, runProperty } from "./budget.ts";

const SEGMENTS = ["a", "b", "ab", "abc", "é", "a b", "other", "other2", ".a", "..."] as const;
const segment = fc.constantFrom(...SEGMENTS);
const fixed = fc.array(fc.oneof({ weight: 3, arbitrary: segment }, { weight: 1, arbitrary: fc.constant("{*}") }), {
  minLength: 1,
  maxLength: 4,
});
const literals = fc.array(segment, { maxLength: 3 });
/** Literals, templates and prefixes that run into each other. */
const pattern = fc.oneof(
  fixed.map((segments) => `/${segments.join("/")}`),
  fixed.map((segments) => `/${segments.join("/")}/{**}`),
  fc
    .tuple(literals, fc.constantFrom("", "a", "ab", "other", "."))
    .map(([before, start]) => `${["", ...before].join("/")}/${start}*`),
  literals.map((segments) => `${["", ...segments].join("/")}/`),
  fc.constantFrom("/{**}", "/{*}", "/"),
);
const path = fc
  .tuple(fc.array(segment, { maxLength: 5 }), fc.constantFrom("", "/", "/x", "/other3"))
  .map(([segments, end]) => {
    const text = `${segments.map((each) => `/${each}`).join("")}${end}`;
    return text === "" ? "/" : text;
  });

const budget = budgetFor(1500);

test("for every path there is an atom that the same patterns match, and what stands for it matches just these", {
  timeout: budget.timeoutMs,
}, () => {
  let atoms = 0;
  const property = fc.property(
    fc.uniqueArray(pattern, { minLength: 1, maxLength: 7 }),
    fc.array(path, { minLength: 40, maxLength: 40 }),
    (texts, paths) => {
      const patterns = texts.flatMap((text) => {
        const parsed = parsePathPattern(text);
        return parsed.ok && parsed.value.text !== "*" ? [parsed.value] : [];
      });
      const found = pathAtoms(patterns, 10_000);
      if (found === null) throw new Error(`too many atoms of ${texts}`);
      const truths = (of: string) =>
        patterns.map(({ text }) => truthsOf({ paths: [text] }, request({ path: of })).paths);
      const known = new Set<string>();
      for (const { kind, path: sent, matched } of found) {
        const wanted = patterns.map((_, place) => (kind === "doubt" ? "in doubt" : String(matched.includes(place))));
        if (patterns.length > 0) expect(truths(sent), `${sent} of ${texts}`).toEqual(wanted);
        expect(known.has(`${kind === "doubt"} ${matched}`)).toBe(false);
        known.add(`${kind === "doubt"} ${matched}`);
        atoms += 1;
      }
      for (const each of [...paths, "*"]) {
        const vector = truths(each);
        const matched = vector.flatMap((truth, place) => (truth === "true" ? [place] : []));
        if (!known.has(`${vector.includes("in doubt")} ${matched}`)) throw new Error(`no atom for ${each} of ${texts}`);
      }
    },
  );
  runProperty(property, budget);
  expect(atoms).toBeGreaterThan(1000);
});

test("too many combinations are said to be too many", () => {
  const places = ["a", "b", "c", "d", "e", "f", "g", "h", "i", "j", "k", "l"];
  const patterns = places.flatMap((_, at) => {
    const text = `/${places.map((_each, index) => (index === at ? "x" : "{*}")).join("/")}`;
    const parsed = parsePathPattern(text);
    return parsed.ok ? [parsed.value] : [];
  });
  expect(pathAtoms(patterns, 100)).toBeNull();
  expect(pathAtoms(patterns, 100_000)?.length).toBeGreaterThan(2 ** 12);
});

import { isDeepStrictEqual } from "node:util";
import * as fc from "fast-check";
import { expect, test } from "vitest";
import { Document, visit } from "yaml";
import { readBoth } from "../support/plain-yaml.ts";
import { budgetFor, runProperty } from "./budget.ts";
import { toFiles } from "./pipeline.ts";
import { realise } from "./realise.ts";
import { annotate, type Choose, chooser, scrawl, valuesOf } from "./scrawl.ts";
import { setDraft } from "./set-draft.ts";

const budget = budgetFor(30);
const MUTATIONS = 40;
const PIECES = [
  ..."-:#,[]{}\"'|>&*!?%@`~ \n\t\r\\/.0aé",
  ...[
    "  ",
    ": ",
    " #",
    "- ",
    ", ",
    "\n\n",
    "\n  ",
    "\n- ",
    "---\n",
    "...\n",
    "\n---\n",
    "a: ",
    "b:\n",
    "? ",
    "<<: ",
    "__proto__: ",
  ],
  ...[
    "null",
    "true",
    "True",
    "0",
    "007",
    "1e3",
    "0x1f",
    "1.",
    ".5",
    "12345678901",
    "''",
    '""',
    "[]",
    "{}",
    "\ufeff",
    "\u2028",
    "\u0085",
  ],
];

/** The text with one place changed: something put in, taken out, written twice, or a line moved to another column. */
function mutated(text: string, choose: Choose): string {
  const at = choose(text.length + 1);
  const kind = choose(5);
  if (kind === 0) return text.slice(0, at) + text.slice(at + 1 + choose(3));
  if (kind < 3) return text.slice(0, at) + (PIECES[choose(PIECES.length)] ?? "") + text.slice(at + (kind - 1));
  const lines = text.split("\n");
  const line = choose(lines.length);
  const content = lines[line] ?? "";
  if (kind === 3) lines[line] = choose(2) === 0 ? ` ${content}` : content.replace(/^ /, "");
  else lines.splice(choose(lines.length), 0, content);
  return lines.join("\n");
}

/** 1 when the text is read in the short way. @throws when the library reads it differently */
function judged(text: string): number {
  const both = readBoth(text);
  if (both !== null && !isDeepStrictEqual(both.plain, both.library)) {
    throw new Error(
      `${JSON.stringify(text)}\n=== plain\n${JSON.stringify(both.plain)}\n=== library\n${JSON.stringify(both.library)}`,
    );
  }
  return both === null ? 0 : 1;
}

/** Judges a text and what comes of it by one and by several changes. Returns how many of them were read in the short way. */
function judgeAround(text: string, choose: Choose): number {
  let plain = judged(text);
  for (let i = 0; i < MUTATIONS; i++) {
    let other = mutated(text, choose);
    while (choose(3) === 0) other = mutated(other, choose);
    plain += judged(other);
  }
  return plain;
}

test("what is read in the short way of a policy file, however it is written and spoilt, is what the library reads", {
  timeout: budget.timeoutMs,
}, () => {
  let plain = 0;
  const property = fc.property(setDraft, fc.nat(), (draft, seed) => {
    const choose = chooser(seed);
    for (const { bytes } of toFiles(realise(draft).documents).slice(0, 3)) {
      const text = new TextDecoder().decode(bytes);
      plain += judgeAround(text, choose);
      const written = (valuesOf(text) as unknown[]).map((each) => annotate(scrawl(each, choose), choose).text);
      plain += judgeAround(written.join("---\n"), choose);
    }
  });
  runProperty(property, budget);
  expect(plain).toBeGreaterThan(500);
});

const anyText = fc.oneof(
  fc.constantFrom(
    "api.example.com",
    "GET http://h:80/a#b",
    "10.0.0.0/8",
    "2027-03-31T00:00:00Z",
    "1 2 3",
    "no",
    "über 中",
    "x  y",
  ),
  fc.constantFrom(...PIECES),
  fc
    .tuple(fc.constantFrom("a", "7", "/"), fc.constantFrom(...PIECES), fc.constantFrom(...PIECES))
    .map((parts) => parts.join("")),
);
const anyValue = fc.letrec((tie) => ({
  value: fc.oneof(
    { maxDepth: 4, withCrossShrink: true },
    { weight: 3, arbitrary: fc.oneof(anyText, fc.nat(), fc.boolean()) },
    { weight: 1, arbitrary: fc.constantFrom(null, -1, 1.5, 1e300) },
    { weight: 2, arbitrary: fc.array(tie("value"), { maxLength: 3 }) },
    {
      weight: 2,
      arbitrary: fc.dictionary(fc.constantFrom("a", "b-c", "d.e/f", "true", "_"), tie("value"), { maxKeys: 3 }),
    },
  ),
})).value;

/** As most people write: bare where that is possible, some of it in brackets. */
function laidOut(value: unknown, choose: Choose): string {
  const document = new Document(value, { aliasDuplicateObjects: false });
  visit(document, {
    Collection(_key, node) {
      node.flow = choose(4) === 0;
    },
  });
  return document.toString({ lineWidth: 0, indentSeq: choose(2) === 0, flowCollectionPadding: choose(2) === 0 });
}

test("and of any YAML", { timeout: budget.timeoutMs }, () => {
  let plain = 0;
  const property = fc.property(anyValue, fc.nat(), (value, seed) => {
    const choose = chooser(seed);
    plain += judgeAround(annotate(laidOut({ spec: value, status: "x" }, choose), choose).text, choose);
  });
  runProperty(property, { ...budget, parameters: { ...budget.parameters, numRuns: budget.parameters.numRuns * 5 } });
  expect(plain).toBeGreaterThan(500);
});

test("and of pieces of YAML in any order", { timeout: budget.timeoutMs }, () => {
  let plain = 0;
  const property = fc.property(fc.array(fc.constantFrom(...PIECES), { maxLength: 12 }), (pieces) => {
    for (const text of [
      pieces.join(""),
      `a: ${pieces.join("")}\nb: 1\n`,
      `- k: ${pieces.join("")}`,
      `k: [${pieces.join("")}]`,
    ]) {
      plain += judged(text);
    }
  });
  runProperty(property, { ...budget, parameters: { ...budget.parameters, numRuns: budget.parameters.numRuns * 100 } });
  expect(plain).toBeGreaterThan(500);
});

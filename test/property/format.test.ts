import { isDeepStrictEqual } from "node:util";
import * as fc from "fast-check";
import { expect, test } from "vitest";
import { Document, isCollection, isScalar, parseAllDocuments, Scalar, visit } from "yaml";
import { compileBundle } from "../../src/bundle/compile.ts";
import { createCanonicaliser } from "../../src/pdp/canonicaliser.ts";
import { readEngineModule } from "../../src/pdp/engine-module.ts";
import { formatPolicyFile } from "../../src/policy/format/format.ts";
import { loadPolicySet } from "../../src/policy/load.ts";
import type { PolicyFile } from "../../src/policy/parse-cache.ts";
import { budgetFor, runProperty } from "./budget.ts";
import { toFiles } from "./pipeline.ts";
import { realise } from "./realise.ts";
import { setDraft } from "./set-draft.ts";

const canonicaliser = createCanonicaliser(readEngineModule());
const budget = budgetFor(40);
const encoder = new TextEncoder();

/** Numbers below a bound from an endless stream of choices. */
type Choose = (bound: number) => number;

function chooser(seed: number): Choose {
  let state = seed >>> 0;
  return (bound) => {
    // mulberry32
    state = (state + 0x6d2b79f5) >>> 0;
    let t = state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) % bound;
  };
}

const QUOTES = [
  undefined,
  Scalar.QUOTE_DOUBLE,
  Scalar.QUOTE_SINGLE,
  Scalar.BLOCK_LITERAL,
  Scalar.BLOCK_FOLDED,
] as const;

/** The same value as somebody could have written it: keys in any order, brackets or blocks, any quotes. */
function scrawl(value: unknown, choose: Choose): string {
  const document = new Document(shuffled(value, choose), { aliasDuplicateObjects: false, strict: false });
  visit(document, (key, node) => {
    if (isCollection(node)) node.flow = choose(3) === 0;
    else if (isScalar(node) && typeof node.value === "string") {
      const quotes = QUOTES[choose(key === "key" ? 3 : QUOTES.length)];
      if (quotes !== undefined) node.type = quotes;
    }
  });
  const options = { indent: 2 + choose(3), indentSeq: choose(2) === 0, flowCollectionPadding: choose(2) === 0 };
  return document.toString({ ...options, lineWidth: [0, 40, 120][choose(3)] ?? 0 });
}

function shuffled(value: unknown, choose: Choose): unknown {
  if (Array.isArray(value)) return value.map((each) => shuffled(each, choose));
  if (typeof value !== "object" || value === null) return value;
  const entries = Object.entries(value).map(([key, each]) => [key, shuffled(each, choose)] as const);
  for (let i = entries.length - 1; choose(4) === 0 && i > 0; i--) {
    const j = choose(i + 1);
    [entries[i], entries[j]] = [entries[j] as never, entries[i] as never];
  }
  return Object.fromEntries(entries);
}

/** Puts comments and empty lines wherever YAML takes them without a change of what the text says. */
function annotate(text: string, choose: Choose): { readonly text: string; readonly comments: number } {
  const meant = valuesOf(text);
  let lines = text.split("\n");
  let comments = 0;
  for (let i = lines.length - 1; i >= 0; i--) {
    if (choose(4) !== 0) continue;
    const mark = `# c${comments}.`;
    const line = lines[i] ?? "";
    const next = [...lines];
    const kind = choose(5);
    if (kind === 0) next.splice(i, 0, "");
    else if (kind < 3 && line !== "") next[i] = `${line} ${mark}`;
    else next.splice(i, 0, `${" ".repeat(choose(3) === 0 ? choose(9) : line.search(/\S|$/))}${mark}`);
    if (!isDeepStrictEqual(valuesOf(next.join("\n")), meant)) continue;
    lines = next;
    // Within a text of several lines it is no comment, and what the text says would have changed.
    if (kind !== 0) comments += 1;
  }
  return { text: lines.join("\n"), comments };
}

function valuesOf(text: string): unknown {
  const documents = parseAllDocuments(text, { logLevel: "silent", stringKeys: true });
  if (!Array.isArray(documents) || documents.some(({ errors }) => errors.length > 0)) return null;
  return documents.map((each) => each.toJS());
}

function laidOut(path: string, text: string): string {
  const formatted = formatPolicyFile(path, encoder.encode(text));
  if (formatted.kind !== "formatted") throw new Error(`${JSON.stringify(formatted)}\n${text}`);
  return formatted.text;
}

/** Lays the documents out and judges it. Null when the library did not write what was meant. */
function check(path: string, value: readonly unknown[], seed: number): string | null {
  const choose = chooser(seed);
  const written = value.map((each) => annotate(scrawl(each, choose), choose));
  const text = written.map((each) => each.text).join("---\n");
  if (!isDeepStrictEqual(valuesOf(text), value) || !text.isWellFormed()) return null;
  const once = laidOut(path, text);
  const show = (what: string): string => `${what}\n=== before\n${text}\n=== after\n${once}`;
  if (!isDeepStrictEqual(valuesOf(once), value)) throw new Error(show("says something else"));
  for (const [index, { comments }] of written.entries()) {
    const document = once.split(/^---$/m)[index] ?? "";
    for (let i = 0; i < comments; i++) {
      if (document.split(`# c${i}.`).length !== 2) throw new Error(show(`comment ${i} of document ${index}`));
    }
  }
  const twice = laidOut(path, once);
  if (twice !== once) throw new Error(`${show("another layout the second time")}\n=== again\n${twice}`);
  return once;
}

test("laying out a set changes neither its bundle nor a comment, and the second time nothing", {
  timeout: budget.timeoutMs,
}, () => {
  let comments = 0;
  const property = fc.property(setDraft, fc.nat(), (draft, seed) => {
    const files = toFiles(realise(draft).documents);
    const after = files.map(({ path, bytes }, index): PolicyFile => {
      const values = valuesOf(new TextDecoder().decode(bytes)) as unknown[];
      const text = check(path, values, seed + index);
      fc.pre(text !== null);
      comments += (text ?? "").split("# c").length - 1;
      return { path, bytes: encoder.encode(text ?? "") };
    });
    const [one, other] = [files, after].map((each) => {
      const { set, diagnostics } = loadPolicySet(each, canonicaliser);
      if (set === null) throw new Error(JSON.stringify(diagnostics));
      return set;
    });
    if (one === undefined || other === undefined) throw new RangeError("two sets were read");
    expect(Buffer.from(compileBundle(other)).equals(Buffer.from(compileBundle(one)))).toBe(true);
  });
  runProperty(property, budget);
  expect(comments).toBeGreaterThan(100);
});

const anyText = fc.oneof(
  fc.string({ unit: "binary", maxLength: 20 }),
  fc.string({
    unit: fc.constantFrom(
      ..."aZ09_-.,:;#&*!|>'\"%@`{}[]()<>=~?/\\ \n\t\r",
      "\u0085",
      "\u2028",
      "\ufeff",
      "é",
      "null",
      "0x",
      "1e",
    ),
    maxLength: 12,
  }),
);
const anyValue = fc.letrec((tie) => ({
  value: fc.oneof(
    { maxDepth: 4 },
    anyText,
    fc.constantFrom(null, true, false, 0, -0, 1.5, 1e300, 2 ** 60, Number.POSITIVE_INFINITY),
    fc.array(tie("value"), { maxLength: 4 }),
    fc.dictionary(
      anyText.filter((key) => key !== "__proto__"),
      tie("value"),
      { maxKeys: 4, noNullPrototype: true },
    ),
  ),
})).value;

test("laying out keeps whatever YAML can hold", { timeout: budget.timeoutMs }, () => {
  let checked = 0;
  let all = 0;
  const property = fc.property(fc.array(anyValue, { minLength: 1, maxLength: 3 }), fc.nat(), (values, seed) => {
    const documents = values.map((status) => ({ kind: "EgressPolicy", spec: { rules: [status] }, status }));
    checked += check("any.yaml", documents, seed) === null ? 0 : 1;
    all += 1;
  });
  runProperty(property, { ...budget, parameters: { ...budget.parameters, numRuns: budget.parameters.numRuns * 10 } });
  // What the library does not write as it was meant is rare.
  expect(checked).toBeGreaterThan(all * 0.9);
});

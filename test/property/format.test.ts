import { isDeepStrictEqual } from "node:util";
import * as fc from "fast-check";
import { expect, test } from "vitest";
import { compileBundle } from "../../src/bundle/compile.ts";
import { createCanonicaliser } from "../../src/pdp/canonicaliser.ts";
import { readEngineModule } from "../../src/pdp/engine-module.ts";
import { formatPolicyFile } from "../../src/policy/format/format.ts";
import { loadPolicySet } from "../../src/policy/load.ts";
import type { PolicyFile } from "../../src/policy/parse-cache.ts";
import { budgetFor, runProperty } from "./budget.ts";
import { toFiles } from "./pipeline.ts";
import { realise } from "./realise.ts";
import { annotate, chooser, scrawl, valuesOf } from "./scrawl.ts";
import { setDraft } from "./set-draft.ts";

const canonicaliser = createCanonicaliser(readEngineModule());
const budget = budgetFor(40);
const encoder = new TextEncoder();

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

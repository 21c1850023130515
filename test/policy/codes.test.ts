import { expect, it } from "vitest";
import { createCanonicaliser } from "../../src/pdp/canonicaliser.ts";
import { readEngineModule } from "../../src/pdp/engine-module.ts";
import type { CodeEntry } from "../../src/policy/codes/code-entry.ts";
import { readExample } from "../../src/policy/codes/read-example.ts";
import { DIAGNOSTIC_CODES } from "../../src/policy/diagnostic-codes.ts";
import { loadPolicySet } from "../../src/policy/load.ts";
import type { PolicyFile } from "../../src/policy/parse-cache.ts";

const canon = createCanonicaliser(readEngineModule());
const entries: readonly (readonly [string, CodeEntry])[] = Object.entries(DIAGNOSTIC_CODES);

it.each(entries)("%s: the bad example yields it at the marked place, and nothing else", (code, { bad, severity }) => {
  const { files, at } = readExample(bad);
  const { set, diagnostics } = loadPolicySet(files, canon);
  const found = diagnostics.map((d) => `${d.code} ${d.severity} ${d.at.file}:${d.at.line}:${d.at.column}`);
  expect(found).toEqual([`${code} ${severity} ${at}`]);
  expect(set === null).toBe(severity === "error");
});

it.each(entries)("%s: the good example is accepted", (_code, { good }) => {
  const { set, diagnostics } = loadPolicySet(readExample(good).files, canon);
  expect(diagnostics).toEqual([]);
  expect(set).not.toBeNull();
});

it.each(entries)("%s: says what is wrong in one line, in the house's words", (_code, { bad }) => {
  for (const { message, fix } of loadPolicySet(readExample(bad).files, canon).diagnostics) {
    expect(message).toMatch(/^[a-z`]/);
    expect(message).not.toMatch(/[\n\r]|\.$/);
    expect(fix ?? "-").not.toBe("");
  }
});

/** The file with a comment at its end that only the library reads. */
function forTheLibrary(file: PolicyFile): PolicyFile {
  return { ...file, bytes: Buffer.concat([file.bytes, Buffer.from("\n# \u{1f9ed}\n")]) };
}

it.each(entries)(
  "%s: is told in the same words, at the same places, whoever reads the file",
  (_code, { bad, good }) => {
    for (const example of [bad, good]) {
      const { files } = readExample(example);
      const short = loadPolicySet(files, canon);
      expect(loadPolicySet(files.map(forTheLibrary), canon)).toEqual(short);
    }
  },
);

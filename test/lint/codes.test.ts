import { expect, it } from "vitest";
import type { LintCodeEntry } from "../../src/analyze/lint/codes/lint-code-entry.ts";
import { LINT_CODES } from "../../src/analyze/lint/lint-codes.ts";
import type { Example } from "../../src/policy/codes/code-entry.ts";
import { readExample } from "../../src/policy/codes/read-example.ts";
import { DIAGNOSTIC_CODES } from "../../src/policy/diagnostic-codes.ts";
import { collect, DAY_MS, lintFiles, NOW_MS, requireFiles } from "./load.ts";

const entries: readonly (readonly [string, LintCodeEntry])[] = Object.entries(LINT_CODES);

function findingsOf(example: Example, { owners, traffic }: LintCodeEntry) {
  const { files } = readExample(example);
  const sinceMs = NOW_MS - 30 * DAY_MS;
  const observed = traffic === undefined ? null : { traffic: collect(requireFiles(files), traffic), days: 30, sinceMs };
  return lintFiles(files, { owners: owners === undefined ? null : new Set(owners), observed }).findings;
}

it.each(entries)("%s: the bad example yields it at the marked place, and nothing else", (code, entry) => {
  const found = findingsOf(entry.bad, entry);
  expect(found.map((each) => `${each.code} ${each.at.file}:${each.at.line}:${each.at.column}`)).toEqual([
    `${code} ${readExample(entry.bad).at}`,
  ]);
});

it.each(entries)("%s: the good example yields nothing", (_code, entry) => {
  expect(findingsOf(entry.good, entry)).toEqual([]);
});

it.each(entries)("%s: says what is wrong and what to do in one line each", (_code, entry) => {
  for (const { message, fix } of findingsOf(entry.bad, entry)) {
    expect(message).toMatch(/^[a-z`]/);
    expect(message).not.toMatch(/[\n\r]|\.$/);
    expect(fix).not.toBe("");
  }
});

it("names no code of validate's", () => {
  expect(Object.keys(LINT_CODES).filter((code) => Object.hasOwn(DIAGNOSTIC_CODES, code))).toEqual([]);
});

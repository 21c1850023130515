import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it } from "vitest";
import { LIMITS } from "../../src/policy/limits.ts";
import { readPolicyDirectory } from "../../src/server/read-policies.ts";
import { writePolicyText } from "../bench/policy-text.ts";
import { shapeOf, syntheticSet } from "../bench/synthetic-set.ts";
import { readBoth } from "../support/plain-yaml.ts";

async function textsOf(directory: string): Promise<string[]> {
  return (await readPolicyDirectory(directory)).map(({ bytes }) => new TextDecoder().decode(bytes));
}

function expectBoth(text: string): void {
  const both = readBoth(text);
  expect(both, text).not.toBeNull();
  expect(both?.plain).toEqual(both?.library);
}

it("reads our own policies in the short way", async () => {
  for (const text of await textsOf("policies")) expectBoth(text);
});

it("reads what a program writes in the short way", async () => {
  const directory = mkdtempSync(join(tmpdir(), "sallyport-plain-"));
  try {
    await writePolicyText(syntheticSet(shapeOf(200)), directory);
    for (const text of await textsOf(directory)) expectBoth(text);
  } finally {
    rmSync(directory, { recursive: true });
  }
});

it.each([
  "a: 1",
  "\n# first\n---\n# second\na:\n# third\n  b: x # fourth\n\n---\nc: d",
  "a:\n- b\n-   c: d\n    e: f\n- [x, {y: z}]\nf: {}",
  "a: 'it is' \nb: \"x # y: z\"\nc: http://h/#x y:z a#b",
  "a: 0\nb: 999999999\nc: true\nd: false\ne: no\nf: 2027-03-31\ng: 10.0.0.0/8\nh: 1.2.3",
  "a: \u00e9\u4e2d   x\n",
])("reads %j in the short way", expectBoth);

const nested = (depth: number): string => `a: ${"[".repeat(depth)}${"]".repeat(depth)}`;
const stairs = (depth: number): string => Array.from({ length: depth }, (_, i) => `${" ".repeat(i)}a:`).join("\n");

it("reads as deep as a document may be, and no deeper", () => {
  expectBoth(nested(LIMITS.depth - 1));
  expectBoth(`${stairs(LIMITS.depth)} b`);
  expect(readBoth(nested(LIMITS.depth))).toBeNull();
  expect(readBoth(`${stairs(LIMITS.depth + 1)} b`)).toBeNull();
});

it.each(
  [
    ["", "# nothing", "---\n", "a: 1\n---\n", "---\n---\na: 1", "a"],
    ["a:", "a:\nb: 1", "a: 1\na: 2", "a: {b: 1, b: 2}", "__proto__: 1", "a: {__proto__: 1}"],
    [
      "a: b: c",
      "a: b\n  c",
      "a: b\n  c: d",
      "a:\n  b: 1\n c: 2",
      "- a\nb: 1",
      "a:b",
      "a: [b\n]",
      "a: [b,]",
      "a: {b}",
      "a: [b: c]",
    ],
    [
      "a: &b c",
      "a: *b",
      "a: !b c",
      "a: |\n  b",
      "a: >\n  b",
      "? a\n: b",
      "%YAML 1.2\n---\na: 1",
      "a: 1\n...\n",
      "--- {a: 1}",
    ],
    ["a: null", "a: ~", "a: True", "a: 1.5", "a: 1e3", "a: 0x1f", "a: 0o17", "a: 12345678901", "a: -1", "a: .5"],
    [
      'a: "\\n"',
      "a: 'it''s'",
      'a: "b\n  c"',
      'a: "b" c',
      "a: 'b'#c",
      "a:\tb",
      "a: b\r\n",
      "a: \ud83d\ude00",
      "a: \u2028",
      "a: \u0085",
      "a: \u0007",
    ],
  ].flat(),
)("leaves %j to the library", (text) => {
  expect(readBoth(text)).toBeNull();
});

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { formatPolicyFile } from "../../src/policy/format/format.ts";
import { readPolicyDirectory } from "../../src/server/read-policies.ts";
import { REPOSITORY } from "../cli/run-cli.ts";

function laidOut(text: string): string {
  const formatted = formatPolicyFile("policy.yaml", new TextEncoder().encode(text));
  return formatted.kind === "formatted" ? formatted.text : JSON.stringify(formatted);
}

/** What is ruled, what somebody wrote, the canonical layout. */
const RULES: readonly (readonly [string, string, string])[] = [
  [
    "keys stand in the order of the documentation, unknown ones last",
    "spec: {rules: [{to: [], mine: 1, name: a}], owner: o}\nmetadata: {namespace: ns, name: p}\nkind: EgressPolicy\napiVersion: v\n",
    "apiVersion: v\nkind: EgressPolicy\nmetadata: {name: p, namespace: ns}\nspec:\n  owner: o\n  rules:\n  - name: a\n    to: []\n    mine: 1\n",
  ],
  [
    "keys of the author's own keep their order",
    "kind: ExternalService\nmetadata:\n    labels:\n        b: x\n        a: z\n    name: s\n",
    "kind: ExternalService\nmetadata:\n  name: s\n  labels:\n    b: x\n    a: z\n",
  ],
  ["lists stand in the column of their key", "a:\n    - b:\n        - c\n", "a:\n- b:\n  - c\n"],
  [
    "quotes stand only where YAML needs them",
    "a: 'plain'\nb: \"*.example.com\"\nc: \"yes\"\nd: '10.0.0.1'\ne: [\"a, b\", 'c']\nf: \"a, b\"\ng: 'it''s: so'\nh: 2026-11-23T12:00:00Z\n",
    'a: plain\nb: "*.example.com"\nc: "yes"\nd: "10.0.0.1"\ne: ["a, b", c]\nf: a, b\ng: "it\'s: so"\nh: 2026-11-23T12:00:00Z\n',
  ],
  [
    "brackets that fit stay in one line",
    "a: [\n  x,\n  z\n]\nb: { c: 1,   d: [ 2 ] }\n",
    "a: [x, z]\nb: {c: 1, d: [2]}\n",
  ],
  [
    "brackets that do not fit become a block, those within stay while they fit",
    `a: [{b: ${"x".repeat(60)}}, {b: ${"y".repeat(60)}}]\n`,
    `a:\n- {b: ${"x".repeat(60)}}\n- {b: ${"y".repeat(60)}}\n`,
  ],
  ["a block stays a block", "a:\n  - x\n  - z\n", "a:\n- x\n- z\n"],
  [
    "text of several lines stands in a block, text that was folded in one line",
    'a: "one\\ntwo\\n"\nb: three\n  four\n',
    "a: |\n  one\n  two\nb: three four\n",
  ],
  [
    "text that was folded keeps its lines",
    "when: >-\n      a == 1\n      && b\nc: > # why\n    d\n    e\nf: >-\n  g\n\n  h\n",
    "when: >-\n  a == 1\n  && b\nc: > # why\n  d\n  e\nf: |-\n  g\n  h\n",
  ],
  [
    "documents are parted by one line, one empty line at most stays between things",
    "---\n\n\na: 1\n\n\n\nb:\n\n  c: 1\n\n---\n\nd: 1\n...\n",
    "a: 1\n\nb:\n  c: 1\n---\nd: 1\n",
  ],
  [
    "comments go where what they speak of goes",
    "# over the document\n\n# and again\nspec: # of spec\n  # of mode\n  mode: report # why\n  # of owner\n  owner: o\n# of kind\nkind: EgressPolicy\n# the end\n",
    "# over the document\n\n# and again\n# of kind\nkind: EgressPolicy\n# the end\nspec: # of spec\n  # of owner\n  owner: o\n  # of mode\n  mode: report # why\n",
  ],
  [
    "a comment that is indented deeper than what follows belongs to what stands before it",
    "kind: EgressPolicy\nspec:\n  rules:\n    - name: a\n      to: []\n      # - service: later\n    # of b\n    - name: b\n    # - name: c\n",
    "kind: EgressPolicy\nspec:\n  rules:\n  - name: a\n    to: []\n    # - service: later\n  # of b\n  - name: b\n  # - name: c\n",
  ],
  [
    "brackets with comments in them become a block",
    "a: [x, # first\n  z,\n  # last\n] # all\n",
    "a: # all\n- x # first\n- z\n# last\n",
  ],
  [
    "a comment at a dash goes over it",
    "a:\n- # of b\n  b: 1\n- # of c\n  c: [x, # of x\n   z]\n",
    "a:\n# of b\n- b: 1\n# of c\n- c:\n  - x # of x\n  - z\n",
  ],
  ["line ends and byte order marks go", "\ufeffa: 1\r\nb: |\r\n  x\r\n  y\r\n", "a: 1\nb: |\n  x\n  y\n"],
];

describe("the canonical layout", () => {
  it.each(RULES)("%s", (_, before, after) => {
    expect(laidOut(before)).toBe(after);
    expect(laidOut(after)).toBe(after);
  });

  it.each([
    ["a: *b\n", "yaml-alias"],
    ["a: [1\n", "yaml-syntax"],
    ["a: 1\na: 2\n", "duplicate-key"],
    ["", "empty-file"],
    [`a: ${"[".repeat(300)}`, "too-deep"],
  ])("%j is refused with the usual diagnostics", (text, code) => {
    const formatted = formatPolicyFile("shop/policy.yaml", new TextEncoder().encode(text));
    expect(formatted).toMatchObject({ kind: "invalid", diagnostics: [{ code, scope: "shop" }] });
  });

  it("is how the documentation writes policies", () => {
    const page = readFileSync(join(REPOSITORY, "docs/policy-language.md"), "utf8");
    const blocks = [...page.matchAll(/^```yaml\n(# [\w./-]+\.yaml\n[\s\S]*?)^```$/gm)];
    expect(blocks.length).toBeGreaterThan(4);
    for (const [, text = ""] of blocks) expect(laidOut(text)).toBe(text);
  });

  it("is how the shipped policies are laid out", async () => {
    const files = await readPolicyDirectory(join(REPOSITORY, "policies"));
    expect(files.length).toBeGreaterThan(20);
    for (const { path, bytes } of files) {
      expect(formatPolicyFile(path, bytes), path).toMatchObject({ kind: "formatted", changed: false });
    }
  });
});

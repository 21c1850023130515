import { describe, expect, it } from "vitest";
import { LIMITS } from "../../src/policy/limits.ts";
import { readYaml } from "../../src/policy/yaml-source.ts";

function read(text: string) {
  return readYaml("a.yaml", new TextEncoder().encode(text));
}

function problems(text: string): string[] {
  return read(text).problems.map(({ code, at }) => `${code} ${at.line}:${at.column}`);
}

describe("what YAML has and the language does not", () => {
  it.each([
    ["a: *b", ["yaml-alias 1:4"]],
    ["a: [*.example.com, x]", ["yaml-alias 1:5"]],
    ["a: &b c", ["yaml-anchor 1:4"]],
    ["&x a: 1", ["yaml-anchor 1:1"]],
    ["a: &x [1]\nb: *x", ["yaml-anchor 1:4", "yaml-alias 2:4"]],
    ["a: !b c", ["yaml-tag 1:4"]],
    ["a: !!str c", ["yaml-tag 1:4"]],
    ["a: !<tag:x> c", ["yaml-tag 1:4"]],
    ["%YAML 1.1\n---\na: yes", ["yaml-directive 1:1"]],
    ["%TAG ! tag:x,2000:\n---\na: 1", ["yaml-directive 1:1"]],
    ["a: 1\nb: 2\na: 3", ["duplicate-key 3:1"]],
    ["a: {b: 1, b: 2, b: 3}", ["duplicate-key 1:11", "duplicate-key 1:17"]],
    ['a: 1\n"a": 2', ["duplicate-key 2:1"]],
    ["a:\n  __proto__: {b: 1}", ["unknown-key 2:3"]],
    ["a: [", ["yaml-syntax 1:5"]],
    ["a: b: c", ["yaml-syntax 1:4"]],
    ["a: 1\n---\n---\nb: 1", ["empty-document 3:1"]],
    ["", ["empty-file 1:1"]],
    ["# only words\n", ["empty-file 1:1"]],
    ["a: null\n---\nnull", ["empty-document 3:1"]],
  ])("%j", (text, expected) => {
    expect(problems(text)).toEqual(expected);
  });

  it("tells how a wildcard is written", () => {
    expect(read("hosts: [*.example.com]").problems[0]?.fix).toBe('"*.example.com"');
  });

  it("refuses one document and still reads its neighbours", () => {
    const { documents, problems: found } = read("a: 1\n---\nb: &x 1\n---\nc: 1\n");
    expect(documents.map(({ value }) => value)).toEqual([{ a: 1 }, { c: 1 }]);
    expect(found.map(({ at }) => at.line)).toEqual([3]);
  });

  it("reads words as YAML 1.2 does: `no` is a word, and so is a date", () => {
    expect(read("a: no\nb: 2027-03-31\nc: 0o17\nd: <<").documents[0]?.value).toEqual({
      a: "no",
      b: "2027-03-31",
      c: 15,
      d: "<<",
    });
    expect(read("<<: {a: 1}").documents[0]?.value).toEqual({ "<<": { a: 1 } });
  });
});

describe("bytes", () => {
  it("are UTF-8, with or without a byte order mark, which moves no column", () => {
    const marked = read("\ufeffa: &x 1");
    expect(marked.problems[0]?.at).toEqual({ file: "a.yaml", line: 1, column: 4 });
    for (const bytes of [[0xff], [0xc3], [0xc0, 0x80], [0xed, 0xa0, 0x80], [0xfe, 0xff, 0x00, 0x61]]) {
      expect(readYaml("a.yaml", Uint8Array.from(bytes)).problems.map(({ code }) => code)).toEqual(["not-utf8"]);
    }
  });

  it("of either line ending count the same lines", () => {
    expect(problems("a: 1\r\nb: 1\r\nb: 2\r\n")).toEqual(["duplicate-key 3:1"]);
    expect(read("a: 1\r\nb: &x 2\r\n").problems[0]?.excerpt).toBe("b: &x 2\n   ^");
  });

  it("that a terminal would obey are not in an excerpt", () => {
    const { problems: found } = read('a: "\u009b2J\u0007"\nb: &x "\u001b[2J\u202e\u2028"');
    for (const { excerpt } of found) expect(excerpt?.replace("\n", "")).not.toMatch(/[\p{Cc}\p{Zl}\u202e]/u);
    expect(found.length).toBeGreaterThan(0);
  });

  it("are shown around the place when a line is long", () => {
    const excerpt = read(`a: "${"x".repeat(500)}"\nb: ["${"y".repeat(300)}", &z 1]`).problems[0]?.excerpt ?? "";
    const [line = "", caret = ""] = excerpt.split("\n");
    expect(line.length).toBeLessThanOrEqual(120);
    expect(line[caret.length - 1]).toBe("&");
  });
});

describe("limits", () => {
  it("of depth", () => {
    const nested = (depth: number) => `${"[".repeat(depth)}${"]".repeat(depth)}`;
    expect(problems(nested(LIMITS.depth))).toEqual([]);
    expect(problems(nested(LIMITS.depth + 1))).toEqual([`too-deep 1:${LIMITS.depth + 1}`]);
    for (const deep of ["[".repeat(5_000), "{a: ".repeat(5_000), "- ".repeat(5_000), "? ".repeat(5_000)]) {
      expect(problems(deep).map((each) => each.split(" ")[0])).toEqual(["too-deep"]);
    }
  });

  it("of size, documents and values", () => {
    const documents = (count: number) => "--- {a: 1}\n".repeat(count);
    expect(problems("#".repeat(LIMITS.fileBytes + 1))).toEqual(["file-too-large 1:1"]);
    expect(read(documents(LIMITS.documentsPerFile)).documents.length).toBe(LIMITS.documentsPerFile);
    expect(problems(documents(LIMITS.documentsPerFile + 1))).toEqual(["too-many-documents 1:1"]);
    expect(problems(",".repeat(LIMITS.fileMarks + 1))).toEqual(["limit-exceeded 1:1"]);
  });
});

it("finds the place of a value, of a key, and of the nearest thing above what is missing", () => {
  const document = read("spec:\n  rules:\n  - name: a\n    to: [{hosts: [x, y]}]\n  none:\n").documents[0];
  const at = (path: (string | number)[]) => document?.position(path);
  expect(at(["spec", "rules", 0, "to", 0, "hosts", 1])).toEqual({ file: "a.yaml", line: 4, column: 22 });
  expect(at(["spec", "rules", 0, "missing"])).toEqual({ file: "a.yaml", line: 3, column: 5 });
  expect(at(["spec", "rules", 7])).toEqual({ file: "a.yaml", line: 3, column: 3 });
  expect(at(["spec", "none"])).toEqual({ file: "a.yaml", line: 5, column: 8 });
  expect(document?.keyPosition(["spec", "rules", 0, "to"])).toEqual({ file: "a.yaml", line: 4, column: 5 });
});

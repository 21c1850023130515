import { expect, it } from "vitest";
import { readYaml } from "../../src/policy/yaml-source.ts";

/** Line and column of the value at a path of the one document. */
function placeOf(text: string, path: readonly (string | number)[]): readonly [number, number] {
  const { documents, problems } = readYaml("a.yaml", Buffer.from(text));
  expect(problems).toEqual([]);
  const { line = 0, column = 0 } = documents[0]?.position(path) ?? {};
  return [line, column];
}

it.each([
  ["as it is written", "name: x\nlist: [a, {name: y}]\n", ["list", 1, "name"], [2, 18]],
  ["behind one that begins like it, with a colon in it", "name:x: 1\nname: y\n", ["name"], [2, 7]],
  ["that has the colon itself", "name:x: 1\nname: y\n", ["name:x"], [1, 9]],
  ["in quotes", "'name' : x\n\"other\": y\n", ["other"], [2, 10]],
  ["that is not there: what it would be in", "map: {a: 1}\nname: y\n", ["map", "b"], [1, 6]],
  ["of an item that is not there", "list:\n- a\n- b\n", ["list", 2], [2, 1]],
] as const)("finds a key %s", (_, text, path, expected) => {
  expect(placeOf(text, path)).toEqual(expected);
});

it("finds items in any order", () => {
  const text = `list:\n${Array.from({ length: 9 }, (_, i) => `- {a: [0, 1], name: n${i}}\n`).join("")}`;
  const [document] = readYaml("a.yaml", Buffer.from(text)).documents;
  for (const index of [8, 0, 3, 4, 2, 7, 7, 1]) {
    expect(document?.position(["list", index, "name"])).toMatchObject({ line: index + 2, column: 21 });
  }
});

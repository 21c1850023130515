import * as fc from "fast-check";
import { expect, it } from "vitest";
import { addPath, addTree, createPathTree, type PathTree, pathsOf } from "../../src/analyze/learn/path-tree.ts";

const UUID = "0d2c8a4e-1b5f-4c3d-9e7a-123456789abc";
const segments = fc.array(fc.constantFrom("a", "b", "c", "1", "2", UUID, "0123456789abcdef"), {
  minLength: 1,
  maxLength: 4,
});

function treeOf(paths: readonly (readonly string[])[]): PathTree {
  const tree = createPathTree(3);
  for (const path of paths) {
    addPath(tree, { segments: path, method: "GET", path: `/${path.join("/")}`, timeMs: 0, id: "x" });
  }
  return tree;
}

/** Every pattern with how often it was seen, in no order. */
function told(tree: PathTree): string[] {
  return pathsOf(tree)
    .map(({ segments, values, methods }) => {
      const ending = methods.get("GET");
      const seen = values.map((each) => [...each].sort().join(","));
      return `/${segments.map((each) => each ?? "{*}").join("/")} ${seen.join(" ")} ${ending?.tally.count} ${ending?.path}`;
    })
    .sort();
}

function patterns(...paths: string[]): string[] {
  return told(treeOf(paths.map((path) => path.slice(1).split("/")))).map((text) => text.replace(/ .*/, ""));
}

it("comes to the same patterns in every order, and from parts", () => {
  const property = fc.property(
    fc.array(segments, { maxLength: 12 }),
    fc.nat(),
    fc.infiniteStream(fc.nat()),
    (paths, cut, keys) => {
      const whole = told(treeOf(paths));
      const shuffled = paths.map((path) => [keys.next().value ?? 0, path] as const).sort(([a], [b]) => a - b);
      expect(told(treeOf(shuffled.map(([, path]) => path)))).toEqual(whole);
      const at = cut % (paths.length + 1);
      const first = treeOf(paths.slice(0, at));
      addTree(first, treeOf(paths.slice(at)));
      expect(told(first)).toEqual(whole);
    },
  );
  fc.assert(property, { numRuns: 3000, seed: 20_261_123 });
});

it.each([
  ["a number alone stays", ["/v1/2/x"], ["/v1/2/x"]],
  ["two numbers do not", ["/v1/2/x", "/v1/3/x"], ["/v1/{*}/x"]],
  ["a UUID alone does not", [`/a/${UUID}`, `/a/${UUID.toUpperCase()}`], ["/a/{*}"]],
  [
    "nor do 16 hexadecimal digits",
    ["/a/0123456789abcdef", "/b/0123456789abcde", "/c/deadbeefdeadbeef"],
    ["/{*}/0123456789abcde", "/{*}/deadbeefdeadbeef", "/{*}/{*}"],
  ],
  ["a place with too many segments is open", ["/a/x", "/b/x", "/c/x", "/c/x/1"], ["/{*}/x", "/{*}/x/1"]],
  ["its numbers then too", ["/a", "/b", "/7", "/c"], ["/{*}"]],
  ["an end with a slash stays", ["/a/", "/a/b", "/a/c", "/a/d"], ["/a/", "/a/{*}"]],
  ["what was folded counts as one place", ["/1/a", "/2/b", "/3/c"], ["/{*}/{*}"]],
])("%s", (_, paths, expected) => {
  expect(patterns(...paths)).toEqual(expected);
});

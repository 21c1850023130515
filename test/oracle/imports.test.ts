import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";

/** Names of imported and re-exported modules, static and dynamic. */
function importsOf(source: string): string[] {
  return [...source.matchAll(/\b(?:from|import)\s*\(?\s*["']([^"']+)["']/g)].map(([, name]) => name ?? "");
}

/** A library of CEL, which is not the product's. */
const CEL = "@bufbuild/cel";

test("the oracle imports nothing but its own files and a library that the product does without", () => {
  const sources = readdirSync(import.meta.dirname, { recursive: true, encoding: "utf8" })
    .filter((name) => name.endsWith(".ts") && !name.endsWith(".test.ts"))
    .map((name) => ({ name, imports: importsOf(readFileSync(join(import.meta.dirname, name), "utf8")) }));
  expect(sources.map(({ name }) => name)).toEqual(expect.arrayContaining(["decide.ts", "target.ts"]));
  expect(sources.flatMap(({ imports }) => imports).length).toBeGreaterThan(3);
  for (const { name, imports } of sources) {
    expect(
      imports.filter((each) => each !== CEL && !/^\.\/[a-z-]+\.ts$/.test(each)),
      name,
    ).toEqual([]);
  }
});

test("tests of the oracle import nothing of the product", () => {
  for (const name of readdirSync(import.meta.dirname).filter((each) => each.endsWith(".test.ts"))) {
    const outside = importsOf(readFileSync(join(import.meta.dirname, name), "utf8")).filter(
      (each) => !each.startsWith("./") && !["vitest", "node:fs", "node:path"].includes(each),
    );
    expect(outside, name).toEqual([]);
  }
});

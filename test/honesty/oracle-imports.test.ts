import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, it } from "vitest";

const ORACLE = fileURLToPath(new URL("../oracle", import.meta.url));

/** Everything that a module names as its source: static, dynamic and type imports, re-exports, require, and URLs. */
function moduleNames(text: string): string[] {
  const forms = [
    /\bfrom\s*["']([^"']+)["']/g,
    /\bimport\s*["']([^"']+)["']/g,
    /\b(?:import|require)\s*\(\s*["'`]([^"'`]+)["'`]/g,
  ];
  return forms.flatMap((form) => [...text.matchAll(form)].map((match) => match[1] ?? ""));
}

const files = readdirSync(ORACLE, { recursive: true, encoding: "utf8" }).filter((name) => name.endsWith(".ts"));

it("there is an oracle", () => {
  expect(files.length).toBeGreaterThan(0);
});

it.each(files)("test/oracle/%s imports nothing from src, nor anything that could", (name) => {
  const text = readFileSync(join(ORACLE, name), "utf8");
  const outside = moduleNames(text).filter((source) => {
    // Its CEL is another library than the product's.
    if (source === "@bufbuild/cel") return false;
    if (source.startsWith("node:") || source === "yaml" || source === "vitest" || source === "fast-check") return false;
    return !source.startsWith("./") || source.includes("..");
  });
  const test = name.endsWith(".test.ts");
  expect(test ? outside.filter((source) => source.includes("src/")) : outside).toEqual([]);
  expect(text).not.toMatch(/\/src\//);
});

import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import * as fc from "fast-check";
import { expect, it } from "vitest";
import { parseAllDocuments, stringify } from "yaml";
import { importAsm } from "../../src/import/asm/import.ts";
import { filesOf } from "../../src/import/documents.ts";
import type { Imported } from "../../src/import/imported.ts";
import { importIstio } from "../../src/import/istio/import.ts";
import { importNetworkPolicy } from "../../src/import/network-policy/import.ts";
import { renderImported } from "../../src/import/render.ts";
import { reportOf } from "../../src/import/report.ts";
import { importSmokescreen } from "../../src/import/smokescreen/import.ts";
import { budgetFor, runProperty } from "../property/budget.ts";
import { OPTIONS, sourceFile } from "./support/decide.ts";

/** The documents of a source's example. */
function documentsOf(source: string): readonly unknown[] {
  const directory = join(import.meta.dirname, source, "example");
  return readdirSync(directory, { recursive: true, encoding: "utf8" })
    .filter((name) => name.endsWith(".yaml") && name !== "roles.yaml")
    .sort()
    .flatMap((name) => parseAllDocuments(readFileSync(join(directory, name), "utf8")).map((each) => each.toJS()));
}

const ROLES = readFileSync(join(import.meta.dirname, "smokescreen/example/roles.yaml"), "utf8");
const SOURCES: readonly (readonly [string, (text: string) => Imported])[] = [
  ["smokescreen", (text) => importSmokescreen(sourceFile("a.yaml", text), sourceFile("roles.yaml", ROLES), OPTIONS)],
  ["istio", (text) => importIstio([sourceFile("a.yaml", text)], null, OPTIONS)],
  ["asm", (text) => importAsm([sourceFile("a.yaml", text)], null, OPTIONS)],
  ["networkpolicy", (text) => importNetworkPolicy([sourceFile("a.yaml", text)], null, OPTIONS)],
];

const ODD = fc.oneof(
  fc.constantFrom(
    null,
    "",
    "*",
    "*.",
    "**.",
    "..",
    "-1",
    "0",
    "constructor",
    "__proto__",
    "toString",
    ":80",
    "[::1]",
    "a:b",
    "{**}",
    "\u0007",
    "ÜNÏ",
  ),
  fc.jsonValue({ maxDepth: 2 }),
);

/** The value with one of its parts, in the order of a walk, replaced. */
function withPart(value: unknown, at: { left: number }, part: unknown): unknown {
  at.left -= 1;
  if (at.left === 0) return part;
  if (Array.isArray(value)) return value.map((each) => withPart(each, at, part));
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, each]) => [key, withPart(each, at, part)]));
}

const budget = budgetFor(50);

it.each(SOURCES)(
  "%s: whatever stands in a place, there is a set or a problem, and no failure",
  { timeout: budget.timeoutMs },
  (source, convert) => {
    const documents = documentsOf(source);
    const seen = { imported: 0, refused: 0 };
    const edits = fc.array(fc.tuple(fc.nat(documents.length - 1), fc.integer({ min: 1, max: 60 }), ODD), {
      minLength: 1,
      maxLength: 3,
    });
    const property = fc.property(edits, (drawn) => {
      const edited = [...documents];
      for (const [index, left, part] of drawn) edited[index] = withPart(edited[index], { left }, part);
      const text = edited.map((each) => stringify(each, { aliasDuplicateObjects: false })).join("---\n");
      const imported = convert(text);
      if (imported.ok) {
        seen.imported += 1;
        reportOf(imported);
        for (const file of filesOf(imported.set)) renderImported(file);
      } else {
        seen.refused += 1;
        expect(imported.problems.length).toBeGreaterThan(0);
      }
    });
    runProperty(property, budget);
    expect(seen.imported).toBeGreaterThan(0);
    expect(seen.refused).toBeGreaterThan(0);
  },
);

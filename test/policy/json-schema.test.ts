import { globSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { Ajv2020 } from "ajv/dist/2020.js";
import { describe, expect, it } from "vitest";
import { parseAllDocuments } from "yaml";
import { BASE_FILES } from "../../src/policy/codes/code-entry.ts";
import { DIAGNOSTIC_CODES } from "../../src/policy/diagnostic-codes.ts";
import { schemaFileName } from "../../src/policy/json-schema.ts";
import { isKind, KINDS, type Kind } from "../../src/policy/schema/kinds.ts";

const ROOT = join(import.meta.dirname, "../..");
const kinds = Object.keys(KINDS) as Kind[];

function validator(name: string) {
  const schema = JSON.parse(readFileSync(join(ROOT, "docs/schema", name), "utf8"));
  return new Ajv2020({ strict: true, strictRequired: false, strictTypes: false, allErrors: true }).compile(schema);
}

const each = new Map(kinds.map((kind) => [kind, validator(schemaFileName(kind))]));
const any = validator("sallyport.schema.json");

function documentsOf(text: string): { kind: Kind }[] {
  return parseAllDocuments(text).map((document) => document.toJS());
}

const texts: (readonly [string, string])[] = [
  ...globSync("{policies,test/conformance/suites/*/policies}/**/*.yaml", { cwd: ROOT })
    .filter((path) => !path.includes("/broken/"))
    .sort()
    .map((path) => [path, readFileSync(join(ROOT, path), "utf8")] as const),
  ...Object.entries(BASE_FILES),
  ...Object.entries(DIAGNOSTIC_CODES).flatMap(([code, { good }]) =>
    Object.values(good.files).flatMap((text) => (typeof text === "string" ? [[`good: ${code}`, text] as const] : [])),
  ),
];

describe("docs/schema", () => {
  it.each(texts)("accepts %s", (_path, text) => {
    const documents = documentsOf(text);
    expect(documents.length).toBeGreaterThan(0);
    for (const document of documents) {
      any(document);
      expect(any.errors).toBeNull();
      const validate = each.get(document.kind);
      validate?.(document);
      expect(validate?.errors).toBeNull();
    }
  });

  it("refuses an unknown key in any map that has a fixed set of keys, and a missing spec", () => {
    const seen = new Set<Kind>();
    for (const [, text] of texts) {
      for (const document of documentsOf(text)) {
        if (!isKind(document.kind) || seen.has(document.kind)) continue;
        seen.add(document.kind);
        for (const path of mapsOf(document)) {
          const copy = structuredClone(document);
          const map = path.reduce<unknown>((value, part) => (value as Record<string, unknown>)[part], copy);
          (map as Record<string, unknown>)["unheard-of"] = {};
          expect([document.kind, path, any(copy)]).toEqual([document.kind, path, false]);
          expect([document.kind, path, each.get(document.kind)?.(copy)]).toEqual([document.kind, path, false]);
        }
        const { spec: _, ...without } = document as { kind: Kind; spec: unknown };
        expect(any(without)).toBe(false);
      }
    }
    expect([...seen].sort()).toEqual([...kinds].sort());
  });

  it("refuses a kind that does not exist", () => {
    expect(any({ apiVersion: "sallyport.dev/v1alpha1", kind: "Gateway", metadata: { name: "a" }, spec: {} })).toBe(
      false,
    );
  });
});

/** Paths of all maps but those whose keys are the author's own. */
function mapsOf(value: unknown, path: readonly string[] = []): (readonly string[])[] {
  if (typeof value !== "object" || value === null) return [];
  if (["headers", "labels", "annotations", "selector"].includes(path.at(-1) ?? "")) return [];
  const below = Object.entries(value).flatMap(([key, inner]) => mapsOf(inner, [...path, key]));
  return Array.isArray(value) ? below : [path, ...below];
}

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import type { z } from "zod";
import { LIMITS } from "../../src/policy/limits.ts";
import { loadPolicySet } from "../../src/policy/load.ts";
import { KINDS } from "../../src/policy/schema/kinds.ts";
import { temporaryDirectory } from "../cli/policy-dir.ts";
import { runCli } from "../cli/run-cli.ts";
import { canon } from "./policy-files.ts";

const PAGE = readFileSync(join(import.meta.dirname, "../../docs/policy-language.md"), "utf8");

/** The page's blocks by the path in their first line. */
const blocks = [...PAGE.matchAll(/^```yaml\n# (\S+)\n([\s\S]*?)^```$/gm)].map(([, path = "", text = ""]) => ({
  path,
  text,
}));

it("every block of the page is part of one valid set", () => {
  expect(blocks).toHaveLength(PAGE.match(/^```yaml/gm)?.length ?? 0);
  expect(new Set(blocks.map(({ path }) => path)).size).toBe(blocks.length);
  const files = blocks.map(({ path, text }) => ({ path, bytes: Buffer.from(text) }));
  const { set, diagnostics, tests } = loadPolicySet(files, canon);
  expect(diagnostics).toEqual([]);
  expect(set).not.toBeNull();
  expect(tests[0]?.cases.length).toBeGreaterThan(5);
});

it("its cases come out as the page says", async () => {
  const directory = await temporaryDirectory(Object.fromEntries(blocks.map(({ path, text }) => [path, text])));
  const { code, stdout } = await runCli(["test", "--policies", directory]);
  expect([code, stdout]).toEqual([0, expect.stringContaining("passed")]);
});

it("names every field of every kind", () => {
  const keys = new Set(Object.values(KINDS).flatMap((kind) => keysOf(kind.shape.spec)));
  expect(keys.size).toBeGreaterThan(40);
  const missing = [...keys].filter((key) => !new RegExp(`[\`. {]${key}[\`:.[,}]`).test(PAGE));
  expect(missing).toEqual([]);
});

it("names the limits that hold", () => {
  const shown = PAGE.slice(PAGE.indexOf("## Limits")).replace(/\s+/g, " ");
  const { format } = new Intl.NumberFormat("en-US");
  for (const [key, unit] of [
    ["hostsPerService", "hosts"],
    ["portsPerService", "ports"],
    ["membersPerGroup", "members"],
    ["rulesPerPolicy", "rules in a policy"],
    ["rulesPerNamespace", "in a namespace"],
    ["selectorsPerRule", "selectors"],
    ["targetsPerRule", "targets"],
    ["pathsPerTarget", "paths"],
    ["headersPerTarget", "headers"],
    ["valuesPerHeader", "values"],
    ["pathSegments", "segments"],
    ["documentsPerFile", "documents"],
  ] as const) {
    expect(shown).toContain(`${format(LIMITS[key])} ${unit}`);
  }
  expect(shown).toContain(`${LIMITS.fileBytes / 1024 / 1024} MiB in a file`);
});

/** The names of all keys below a schema. */
function keysOf(schema: z.ZodType): string[] {
  const { shape, element, innerType, options } = schema.def as {
    shape?: Record<string, z.ZodType>;
    element?: z.ZodType;
    innerType?: z.ZodType;
    options?: z.ZodType[];
  };
  return [
    ...Object.entries(shape ?? {}).flatMap(([key, inner]) => [key, ...keysOf(inner)]),
    ...[element, innerType, ...(options ?? [])].flatMap((inner) => (inner === undefined ? [] : keysOf(inner))),
  ];
}

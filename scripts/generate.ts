/**
 * Writes what is made from the sources and checked in: docs/diagnostics.md, docs/lint.md, docs/generate-notes.md, docs/schema, docs/pictures, deploy/crds
 * and the values of deploy/chart. With `--check` writes
 * nothing, shows what differs, and exits 1 if anything does.
 */
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { parseArgs } from "node:util";
import { stringify } from "yaml";
import { anyKindSchema, kindSchema, schemaFileName } from "../src/policy/json-schema.ts";
import { NAMINGS, RESOURCE_KINDS, resourceDefinition } from "../src/policy/resource-definition.ts";
import { KINDS, type Kind } from "../src/policy/schema/kinds.ts";
import { chartReadme } from "./chart/readme.ts";
import { valuesFile, valuesSchema } from "./chart/write-values.ts";
import { diagnosticsPage } from "./diagnostics-page.ts";
import { importNotesPage } from "./import-notes-page.ts";
import { lintPage } from "./lint-page.ts";
import { notesPage } from "./notes-page.ts";
import { trafficPathPictures } from "./traffic-paths.ts";

const { values } = parseArgs({
  options: {
    check: { type: "boolean", default: false },
    out: { type: "string", default: resolve(import.meta.dirname, "..") },
  },
});

const json = (value: unknown): string => `${JSON.stringify(value, null, 2)}\n`;
const kinds = Object.keys(KINDS) as Kind[];
const wanted = new Map<string, string>([
  ["deploy/chart/README.md", chartReadme()],
  ["deploy/chart/values.schema.json", json(valuesSchema())],
  ["deploy/chart/values.yaml", valuesFile()],
  ["docs/diagnostics.md", diagnosticsPage()],
  ["docs/lint.md", lintPage()],
  ["docs/schema/sallyport.schema.json", json(anyKindSchema())],
  ["docs/generate-notes.md", notesPage()],
  ["docs/import-notes.md", importNotesPage()],
  ...[...trafficPathPictures()].map(([name, text]) => [`docs/pictures/${name}`, text] as const),
  ...RESOURCE_KINDS.map((kind) => [`deploy/crds/${NAMINGS[kind].plural}.yaml`, definition(kind)] as const),
  ...kinds.map((kind) => [`docs/schema/${schemaFileName(kind)}`, json(kindSchema(kind))] as const),
]);

function definition(kind: (typeof RESOURCE_KINDS)[number]): string {
  return `# Generated from src/policy/schema by \`npm run generate\`.\n${stringify(resourceDefinition(kind), { lineWidth: 160 })}`;
}

let stale = 0;
for (const [path, text] of wanted) {
  const file = join(values.out, path);
  const present = read(file);
  if (present === text) continue;
  stale += 1;
  if (values.check) console.log(difference(path, present, text));
  else {
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, text);
    console.log(`generate: wrote ${path}`);
  }
}
for (const name of list(join(values.out, "docs/schema"))) {
  if (wanted.has(`docs/schema/${name}`)) continue;
  stale += 1;
  if (!values.check) rmSync(join(values.out, "docs/schema", name));
  console.log(`generate: docs/schema/${name} ${values.check ? "is made from nothing" : "removed"}`);
}
if (values.check && stale > 0) {
  console.log("generate: the files above are stale: run `npm run generate`");
  process.exitCode = 1;
}

function read(file: string): string | null {
  try {
    return readFileSync(file, "utf8");
  } catch {
    return null;
  }
}

function list(dir: string): string[] {
  try {
    return readdirSync(dir).sort();
  } catch {
    return [];
  }
}

/** The first lines that differ. */
function difference(path: string, present: string | null, text: string): string {
  if (present === null) return `${path}: is missing`;
  const old = present.split("\n");
  const now = text.split("\n");
  const at = now.findIndex((line, index) => line !== old[index]);
  const line = at < 0 ? now.length : at;
  return `${path}:${line + 1}:\n- ${old[line] ?? "(end)"}\n+ ${now[line] ?? "(end)"}`;
}

import { stringify } from "yaml";
import { compileBundle } from "../../src/bundle/compile.ts";
import { createCanonicaliser } from "../../src/pdp/canonicaliser.ts";
import { createEngine, type Engine } from "../../src/pdp/engine.ts";
import { readEngineModule } from "../../src/pdp/engine-module.ts";
import { loadPolicySet } from "../../src/policy/load.ts";
import type { PolicySet } from "../../src/policy/model.ts";
import type { PolicyFile } from "../../src/policy/parse-cache.ts";
import type { PlacedDocument } from "../oracle/documents.ts";
import type { GeneratedSet } from "./realise.ts";

const engineModule = readEngineModule();
const canonicaliser = createCanonicaliser(engineModule);

/** The documents as text files: several a file, nested directories among them. */
export function toFiles(documents: readonly PlacedDocument[]): PolicyFile[] {
  const texts = new Map<string, string[]>();
  for (const [index, { place, doc }] of documents.entries()) {
    const name = ["one.yaml", "two.yml", place === "" ? "three.yaml" : "deep/er/three.yaml"][index % 3];
    const path = place === "" ? `${name}` : `${place}/${name}`;
    // Without this option equal values would become anchors and aliases.
    texts.set(path, [...(texts.get(path) ?? []), stringify(doc, { aliasDuplicateObjects: false })]);
  }
  return [...texts].map(([path, docs]) => ({ path, bytes: new TextEncoder().encode(docs.join("---\n")) }));
}

/** All files as one text to read. */
export function formatFiles(files: readonly PolicyFile[]): string {
  return files.map(({ path, bytes }) => `# ${path}\n${new TextDecoder().decode(bytes)}`).join("\n");
}

/** Text to policy set, as the product does it. Throws when the set is refused. */
function loadFiles(files: readonly PolicyFile[], invalidNamespaces: readonly string[]): PolicySet {
  const { set, diagnostics } = loadPolicySet(files, canonicaliser);
  if (set === null) {
    const errors = diagnostics.filter(({ severity }) => severity === "error");
    const lines = errors.map(({ at, code, message }) => `${at.file}:${at.line}:${at.column} ${code}: ${message}`);
    throw new Error(`a generated set was refused:\n${lines.join("\n")}\n${formatFiles(files)}`);
  }
  return { ...set, invalidNamespaces };
}

/** Text to bundle. */
export function compileFiles(files: readonly PolicyFile[], invalidNamespaces: readonly string[]): Uint8Array {
  return compileBundle(loadFiles(files, invalidNamespaces));
}

/** A generated set with all that comes of it. */
export interface Built {
  readonly set: PolicySet;
  readonly bundle: Uint8Array;
  readonly engine: Engine;
}

/** The whole way of a generated set, with what lies on it. */
export function build({ documents, invalidNamespaces }: GeneratedSet): Built {
  const set = loadFiles(toFiles(documents), invalidNamespaces);
  const bundle = compileBundle(set);
  return { set, bundle, engine: createEngine(engineModule, bundle) };
}

/** The whole way of a generated set. */
export function engineFor(set: GeneratedSet): Engine {
  return build(set).engine;
}

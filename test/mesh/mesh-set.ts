import { readdirSync } from "node:fs";
import { join } from "node:path";
import { createCanonicaliser } from "../../src/pdp/canonicaliser.ts";
import { readEngineModule } from "../../src/pdp/engine-module.ts";
import { formatDiagnostic } from "../../src/policy/format-diagnostic.ts";
import { loadPolicySet } from "../../src/policy/load.ts";
import type { PolicySet } from "../../src/policy/model.ts";
import { readPolicyDirectory } from "../../src/server/read-policies.ts";
import { type Reach, reachOf } from "../support/reach.ts";

const SETS = join(import.meta.dirname, "sets");

/** A policy set that generated configuration is judged on. */
export interface MeshSet extends Reach {
  readonly name: string;
  readonly directory: string;
  readonly set: PolicySet;
}

export function setNames(): readonly string[] {
  return readdirSync(SETS).sort();
}

export async function readMeshSet(name: string): Promise<MeshSet> {
  const directory = join(SETS, name);
  const files = await readPolicyDirectory(directory);
  const { set, diagnostics } = loadPolicySet(files, createCanonicaliser(readEngineModule()));
  if (set === null) throw new Error(diagnostics.map((each) => formatDiagnostic(each, false)).join("\n"));
  return { ...reachOf(set), name, directory, set };
}

import { readFile, stat } from "node:fs/promises";
import { compileBundle } from "../bundle/compile.ts";
import { readBundleSet } from "../bundle/read-set.ts";
import { createEngine, type Engine } from "../pdp/engine.ts";
import { readEngineModule } from "../pdp/engine-module.ts";
import type { PolicySet } from "../policy/model.ts";
import { createParseCache, type ParseCache } from "../policy/parse-cache.ts";
import { EXIT } from "./exit-code.ts";
import { readGit } from "./git-files.ts";
import { requireFiles, requireSet } from "./load-set.ts";
import { printFailure } from "./output.ts";

/** What can be named as policies, for the help of commands that take a revision of them. */
export const REVISION_HELP = `a directory, a bundle that \`sallyport compile\` wrote, or a git revision with a path: HEAD~1:policies`;

/** Policies as of some revision. Of a bundle, `set` is what it decides by, without places in files. */
export interface PolicyRevision {
  /** As it was named. */
  readonly name: string;
  readonly set: PolicySet;
  readonly bundle: Uint8Array;
  readonly engine: Engine;
}

/**
 * Reads the policies that a name means. Null (after saying why, with the exit code set) when it means none or they are invalid. Revisions that are read
 * with one `cache` share what their files have in common.
 */
export async function readRevision(
  name: string,
  output: string,
  cache: ParseCache = createParseCache(),
): Promise<PolicyRevision | null> {
  const found = await stat(name).catch(() => null);
  if (found?.isDirectory()) return ofSet(name, (await requireSet(name, output, false, cache))?.set ?? null);
  if (found !== null) {
    try {
      return ofBundle(name, await readFile(name));
    } catch (error) {
      return refuse(`${name} cannot be read: ${error instanceof Error ? error.message : error}`);
    }
  }
  if (!name.includes(":")) return refuse(`${name} is neither a directory nor a file`);
  const content = await readGit(name);
  if (!content.ok) return refuse(`${name}: ${content.message}`);
  if (content.value.kind === "file") return ofBundle(name, content.value.bytes);
  return ofSet(name, requireFiles(content.value.files, name, output, cache)?.set ?? null);
}

function ofSet(name: string, set: PolicySet | null): PolicyRevision | null {
  if (set === null) return null;
  const bundle = compileBundle(set);
  return { name, set, bundle, engine: createEngine(readEngineModule(), bundle) };
}

function ofBundle(name: string, bundle: Uint8Array): PolicyRevision | null {
  try {
    // The engine checks that it is one.
    const engine = createEngine(readEngineModule(), bundle);
    return { name, set: readBundleSet(bundle), bundle, engine };
  } catch {
    return refuse(`${name} is not a bundle of this version`);
  }
}

function refuse(message: string): null {
  printFailure(message, `name ${REVISION_HELP}`);
  process.exitCode = EXIT.failure;
  return null;
}

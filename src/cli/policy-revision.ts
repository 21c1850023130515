import { readFile, stat } from "node:fs/promises";
import { compileBundle } from "../bundle/compile.ts";
import { readBundleSet } from "../bundle/read-set.ts";
import { createEngine, type Engine } from "../pdp/engine.ts";
import { readEngineModule } from "../pdp/engine-module.ts";
import type { PolicySet } from "../policy/model.ts";
import { EXIT } from "./exit-code.ts";
import type { FileRevisions } from "./file-revisions.ts";
import { readGit } from "./git-files.ts";
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

/** Reads the policies that a name means. Null (after saying why, with the exit code set) when it means none or they are invalid. */
export type RevisionReader = (name: string) => Promise<PolicyRevision | null>;

/** What one reader reads shares what its files have in common. */
export function createRevisionReader(output: string): RevisionReader {
  let known: FileRevisions | null = null;
  // Whoever names bundles need not wait for all that reads and checks files.
  const fromFiles = async (): Promise<FileRevisions> => {
    known ??= (await import("./file-revisions.ts")).createFileRevisions(output);
    return known;
  };
  return async (name) => {
    const found = await stat(name).catch(() => null);
    if (found?.isDirectory()) return ofSet(name, await (await fromFiles()).ofDirectory(name));
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
    return ofSet(name, (await fromFiles()).ofFiles(name, content.value.files));
  };
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

import type { PolicySet } from "../policy/model.ts";
import { createParseCache, type PolicyFile } from "../policy/parse-cache.ts";
import { requireFiles, requireSet } from "./load-set.ts";

/** Reads policy sets from files; what their files have in common is read once. Null (after saying why, with the exit code set) for those that are invalid. */
export interface FileRevisions {
  /** Null also when the directory cannot be read. */
  ofDirectory(directory: string): Promise<PolicySet | null>;
  ofFiles(name: string, files: readonly PolicyFile[]): PolicySet | null;
}

export function createFileRevisions(output: string): FileRevisions {
  const cache = createParseCache();
  return {
    ofDirectory: async (directory) => (await requireSet(directory, output, false, cache))?.set ?? null,
    ofFiles: (name, files) => requireFiles(files, name, output, cache)?.set ?? null,
  };
}

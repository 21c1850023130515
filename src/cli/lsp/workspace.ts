import { createDecider, type Decider } from "../../editor/decider.ts";
import { type Names, namesOf } from "../../editor/names.ts";
import { createCanonicaliser } from "../../pdp/canonicaliser.ts";
import { readEngineModule } from "../../pdp/engine-module.ts";
import type { Diagnostic } from "../../policy/diagnostic.ts";
import { loadPolicySet } from "../../policy/load.ts";
import type { PolicySet } from "../../policy/model.ts";
import { createParseCache, type PolicyFile } from "../../policy/parse-cache.ts";
import type { RawDocument } from "../../policy/raw-document.ts";
import { compareText } from "../../policy/reporter.ts";
import { scanPolicyDirectory } from "../../server/read-policies.ts";

/** What a look at all files came to. */
export interface Checked {
  readonly diagnostics: readonly Diagnostic[];
  /** Of each file's newest text whose shape is right. */
  readonly names: Names;
  /** The files that were looked at. */
  readonly files: ReadonlySet<string>;
}

/** A policy directory as an editor sees it: with what is typed and not saved in place of what is on disk. */
export interface Workspace {
  /** Reads the directory anew. Returns the directories that hold it; @throws when it cannot be read */
  scan(): Promise<readonly string[]>;
  /** What is typed in place of a file, by its path in the directory; null = the file itself counts again. */
  type(path: string, text: string | null): void;
  /** A file's text, typed or on disk. */
  text(path: string): string | null;
  check(): Checked;
  /** The engine with the newest valid set; null until there was one. */
  decider(nowMs: number): Decider | null;
}

/** A directory of which nothing has been read yet. */
export function createWorkspace(directory: string): Workspace {
  const module = readEngineModule();
  const canon = createCanonicaliser(module);
  const cache = createParseCache();
  const typed = new Map<string, string>();
  const good = new Map<string, readonly RawDocument[]>();
  let onDisk: ReadonlyMap<string, PolicyFile> = new Map();
  let newest: { readonly set: PolicySet; made: ReturnType<typeof createDecider> | null } | null = null;
  let isOutdated = false;

  function files(): readonly PolicyFile[] {
    const all = new Map(onDisk);
    for (const [path, text] of typed) all.set(path, { path, bytes: new TextEncoder().encode(text) });
    return [...all.values()].sort((a, b) => compareText(a.path, b.path));
  }

  return {
    async scan() {
      const { files: found, directories } = await scanPolicyDirectory(directory);
      onDisk = new Map(found.map((file) => [file.path, file]));
      return directories;
    },
    type(path, text) {
      if (text === null) typed.delete(path);
      else typed.set(path, text);
    },
    text(path) {
      const file = onDisk.get(path);
      return typed.get(path) ?? (file === undefined ? null : new TextDecoder().decode(file.bytes));
    },
    check() {
      const all = files();
      const parsed = all.map((file) => cache.read(file));
      const { set, diagnostics } = loadPolicySet(all, canon, cache);
      const present = new Set(all.map(({ path }) => path));
      for (const path of good.keys()) if (!present.has(path)) good.delete(path);
      for (const { path, documents, diagnostics: own } of parsed) {
        // A file that is being typed still names what it named before.
        if (!good.has(path) || own.every(({ severity }) => severity !== "error")) good.set(path, documents);
      }
      isOutdated = set === null;
      if (set !== null) newest = { set, made: null };
      return { diagnostics, names: namesOf([...good.values()].flat()), files: present };
    },
    decider(nowMs) {
      if (newest === null) return null;
      newest.made ??= createDecider(module, newest.set);
      return { ...newest.made, isOutdated, nowMs };
    },
  };
}

import { deserialize, serialize } from "node:v8";
import { compileBundle } from "../bundle/compile.ts";
import { bundleRevision } from "../bundle/revision.ts";
import type { Canonicaliser } from "../policy/canonicaliser.ts";
import type { Diagnostic } from "../policy/diagnostic.ts";
import { exceptionsOf } from "../policy/exceptions.ts";
import { type LastGood, loadIsolated } from "../policy/isolate.ts";
import { createParseCache, type PolicyFile } from "../policy/parse-cache.ts";
import { packExceptions } from "./exception-list.ts";
import type { LoadOutcome } from "./load-outcome.ts";
import { digestOf } from "./policy-digest.ts";
import type { PolicyInput } from "./policy-source.ts";
import { createPolicySummary, summariseFiles } from "./policy-summary.ts";
import { createReadFiles, type ReadFiles } from "./read-files.ts";
import { type PolicyDirectory, scanPolicyDirectory } from "./read-policies.ts";

/** Diagnostics that are carried along; more help nobody. */
const MAX_DIAGNOSTICS = 100;

/** Turns policies into bundles and remembers what makes the next time faster. */
export interface Compiler {
  /** Reads and compiles, unless the contents have the known digest. Never rejects. */
  load(input: PolicyInput, knownDigest: string | null): Promise<LoadOutcome>;
}

/** A compiler that goes on from `memory`, the last one of a compiler before it, or from nothing. */
export function createCompiler(canon: Canonicaliser, memory: Uint8Array | null): Compiler {
  const cache = createParseCache();
  const known = createReadFiles();
  const summarise = createPolicySummary();
  // A copy: what is read from it are views of it, and it may be shared.
  let lastGood: LastGood | null = memory === null ? null : deserialize(Uint8Array.from(memory));

  function compile(files: readonly PolicyFile[], digest: string, directories: readonly string[]): LoadOutcome {
    if (files.length === 0) return { kind: "empty", digest, directories };
    const loaded = loadIsolated(files, canon, lastGood, cache);
    if (loaded.set === null) {
      const summary = summariseFiles(files, digest);
      return { kind: "rejected", digest, directories, diagnostics: errorsFirst(loaded.diagnostics), summary };
    }
    const bundle = compileBundle(loaded.set);
    lastGood = loaded.lastGood;
    const stale = loaded.stale.map((each) => ({ ...each, diagnostics: errorsFirst(each.diagnostics) }));
    const warnings = loaded.diagnostics.filter((each) => each.severity === "warning").slice(0, MAX_DIAGNOSTICS);
    const summary = summarise(files, digest, loaded.set);
    const exceptions = packExceptions(exceptionsOf(loaded.set));
    const memory = serialize(lastGood);
    const revision = bundleRevision(bundle);
    return { kind: "loaded", digest, directories, revision, bundle, stale, warnings, summary, exceptions, memory };
  }

  return {
    async load(input, knownDigest) {
      try {
        const { files, directories } = await read(input, known);
        const digest = digestOf(files);
        if (digest === knownDigest) return { kind: "unchanged", directories };
        return compile(files, digest, directories);
      } catch (error) {
        return { kind: "failed", message: error instanceof Error ? error.message : String(error) };
      }
    },
  };
}

function read(input: PolicyInput, known: ReadFiles): PolicyDirectory | Promise<PolicyDirectory> {
  return input.kind === "files" ? { files: input.files, directories: [] } : scanPolicyDirectory(input.path, known);
}

function errorsFirst(diagnostics: readonly Diagnostic[]): Diagnostic[] {
  const errors = diagnostics.filter((each) => each.severity === "error");
  return [...errors, ...diagnostics.filter((each) => each.severity !== "error")].slice(0, MAX_DIAGNOSTICS);
}

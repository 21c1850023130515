import { createCanonicaliser } from "../pdp/canonicaliser.ts";
import { readEngineModule } from "../pdp/engine-module.ts";
import type { Diagnostic } from "../policy/diagnostic.ts";
import { formatDiagnostic } from "../policy/format-diagnostic.ts";
import { loadPolicySet } from "../policy/load.ts";
import type { DecisionTest, PolicySet } from "../policy/model.ts";
import { createParseCache, type ParseCache, type PolicyFile } from "../policy/parse-cache.ts";
import { isTestFile } from "../policy/place.ts";
import { readPolicyDirectory } from "../server/read-policies.ts";
import { EXIT } from "./exit-code.ts";
import { diagnosticAnnotation, printAnnotations } from "./github.ts";
import { diagnosticsJunit } from "./junit-findings.ts";
import { colorful, count, printFailure, printJson } from "./output.ts";

/** A policy directory as `validate` sees it. `set` is null when any document has an error. */
export interface LoadedSet {
  readonly module: WebAssembly.Module;
  readonly set: PolicySet | null;
  readonly tests: readonly DecisionTest[];
  readonly diagnostics: readonly Diagnostic[];
  readonly files: number;
  /** The files that it was read from. */
  readonly sources: readonly PolicyFile[];
}

/** Reads and validates a policy directory, strictly. Null (after saying why) when it cannot be read. */
export async function loadSet(
  directory: string,
  withTests = true,
  cache: ParseCache = createParseCache(),
): Promise<LoadedSet | null> {
  try {
    return loadFiles(await readPolicyDirectory(directory), withTests, cache);
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    printFailure(`the policy directory ${directory} cannot be read: ${why}`, "name another one with --policies DIR");
    return null;
  }
}

function loadFiles(all: readonly PolicyFile[], withTests: boolean, cache: ParseCache): LoadedSet {
  const module = readEngineModule();
  const files = withTests ? all : all.filter(({ path }) => !isTestFile(path));
  return { module, ...loadPolicySet(files, createCanonicaliser(module), cache), files: files.length, sources: files };
}

/** A set that is valid, for commands that need one. */
export interface ValidSet extends LoadedSet {
  readonly set: PolicySet;
}

/**
 * Reads a policy directory for a command that decides with it. Null when it has errors or cannot be read: the problems
 * are then printed and the exit code is set. Tests are read only where asked for: a mistake in one stops no decision. Files that `cache` knows from another directory
 * are not parsed again.
 */
export async function requireSet(
  directory: string,
  output: string,
  withTests = false,
  cache?: ParseCache,
): Promise<ValidSet | null> {
  const loaded = await loadSet(directory, withTests, cache);
  if (loaded === null) {
    process.exitCode = EXIT.failure;
    return null;
  }
  return requireValid(loaded, directory, output, directory === "./policies" ? "" : ` --policies ${directory}`);
}

/** The same for files that were read already, from `place`. */
export function requireFiles(
  files: readonly PolicyFile[],
  place: string,
  output: string,
  cache: ParseCache,
): ValidSet | null {
  return requireValid(loadFiles(files, false, cache), place, output);
}

/** `option` names the policies to `validate`, where it can look at them. */
function requireValid(loaded: LoadedSet, place: string, output: string, option = ""): ValidSet | null {
  const { set } = loaded;
  if (set !== null) return { ...loaded, set };
  process.exitCode = EXIT.invalidPolicy;
  const errors = loaded.diagnostics.filter((each) => each.severity === "error");
  if (output === "json") {
    printJson({ schema: "sallyport.dev/error/v1", error: "invalid-policy", diagnostics: errors.map(diagnosticJson) });
    return null;
  }
  if (output === "github") printAnnotations(errors.map(diagnosticAnnotation), place);
  else if (output === "junit") process.stdout.write(diagnosticsJunit(loaded, place));
  else
    for (const each of errors)
      process.stderr.write(`${formatDiagnostic(each, colorful(process.stderr))}
`);
  printFailure(`the policies in ${place} have ${count(errors.length, "error")}`, `run: sallyport validate${option}`);
  return null;
}

/** A diagnostic in machine-readable output. */
export function diagnosticJson(diagnostic: Diagnostic): Record<string, unknown> {
  const { code, severity, message, at, scope, fix } = diagnostic;
  return { code, severity, message, file: at.file, line: at.line, column: at.column, namespace: scope, fix };
}

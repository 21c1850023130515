import { assemble } from "./assemble.ts";
import { buildTests } from "./build-tests.ts";
import type { Canonicaliser } from "./canonicaliser.ts";
import type { Diagnostic } from "./diagnostic.ts";
import type { DecisionTest, PolicySet } from "./model.ts";
import { createParseCache, type ParseCache, type PolicyFile } from "./parse-cache.ts";
import { createReporter, sortDiagnostics } from "./reporter.ts";

/** A set read strictly: `set` is null when any document has an error. Diagnostics are all there are, sorted. */
export interface LoadResult {
  readonly set: PolicySet | null;
  readonly tests: readonly DecisionTest[];
  readonly diagnostics: readonly Diagnostic[];
}

/** Reads a whole policy directory's files. One error anywhere refuses the set. Never throws for input. */
export function loadPolicySet(
  files: readonly PolicyFile[],
  canon: Canonicaliser,
  cache: ParseCache = createParseCache(),
): LoadResult {
  const parsed = files.map((file) => cache.read(file));
  cache.sweep();
  const documents = parsed.flatMap((file) => file.documents);
  const reporter = createReporter((document) => document.place);
  const tests = buildTests(documents, reporter);
  const { set, diagnostics, root } = assemble(documents, canon, []);
  const problems = [...parsed.flatMap((file) => file.diagnostics), ...reporter.diagnostics, ...diagnostics];
  if (root === null && !problems.some(({ code }) => code === "second-gateway" || code === "gateway-not-root")) {
    if (!documents.some(({ kind }) => kind === "EgressGateway") && !problems.some(({ scope }) => scope === "")) {
      problems.push(noGateway(files));
    }
  }
  const refused = problems.some(({ severity }) => severity === "error");
  return { set: refused ? null : set, tests, diagnostics: sortDiagnostics(problems) };
}

/** A set without its gateway cannot be placed anywhere: the first file stands for the directory. */
export function noGateway(files: readonly PolicyFile[]): Diagnostic {
  const file = files.map(({ path }) => path).sort()[0] ?? ".";
  const message =
    files.length === 0
      ? "the policy directory holds no policy file"
      : "no EgressGateway: a policy set has exactly one, in the policy directory itself";
  const at = { file, line: 1, column: 1 };
  return { code: "no-gateway", severity: "error", message, at, scope: "", excerpt: null, fix: null };
}

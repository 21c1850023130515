import type { Diagnostic } from "../policy/diagnostic.ts";
import { formatDiagnostic } from "../policy/format-diagnostic.ts";
import type { SourcePosition } from "../policy/model.ts";
import type { PolicyFile } from "../policy/parse-cache.ts";
import { type JunitCase, type JunitSuite, junitReport } from "./junit.ts";
import { repositoryPlace } from "./repository-place.ts";

/** Something that a program found in a policy file, and what CI is to make of it. */
export interface JunitFinding {
  readonly code: string;
  readonly message: string;
  readonly at: SourcePosition;
  readonly outcome: JunitCase["outcome"]["kind"];
  /** All there is to say, for people; of what is skipped, why. */
  readonly text: string;
}

/**
 * A JUnit XML report of policy files: one suite a file, one case a finding, and one that passes for a file without any.
 * @param files those that were looked at @param policies the directory that they are relative to
 */
export function findingsJunit(files: readonly string[], findings: readonly JunitFinding[], policies: string): string {
  const byFile = Map.groupBy(findings, ({ at }) => at.file);
  const suites = [...new Set([...files, ...byFile.keys()])].sort().map((path): JunitSuite => {
    const file = repositoryPlace(path, policies);
    const cases = (byFile.get(path) ?? []).map(findingCase);
    return { name: file, file, cases: cases.length > 0 ? cases : [{ name: "in order", outcome: { kind: "passed" } }] };
  });
  return junitReport(suites);
}

/** Such a report of a policy directory's diagnostics: an error fails, a warning does not. */
export function diagnosticsJunit(
  { sources, diagnostics }: { readonly sources: readonly PolicyFile[]; readonly diagnostics: readonly Diagnostic[] },
  policies: string,
): string {
  const files = sources.map(({ path }) => path);
  return findingsJunit(
    files,
    diagnostics.map((each) => diagnosticFinding(each, policies)),
    policies,
  );
}

function diagnosticFinding(diagnostic: Diagnostic, policies: string): JunitFinding {
  const { code, message, severity, at } = diagnostic;
  const place = { ...at, file: repositoryPlace(at.file, policies) };
  const text = `${formatDiagnostic({ ...diagnostic, at: place }, false)}\nsee docs/diagnostics.md#${code}`;
  return { code, message, at, outcome: severity === "error" ? "failed" : "passed", text };
}

function findingCase({ code, message, at, outcome, text }: JunitFinding): JunitCase {
  const name = `${code} at ${at.line}:${at.column}`;
  switch (outcome) {
    case "failed":
      return { name, outcome: { kind: "failed", type: code, message, text } };
    case "skipped":
      return { name, outcome: { kind: "skipped", message: text } };
    case "passed":
      return { name, outcome: { kind: "passed", said: text } };
  }
}

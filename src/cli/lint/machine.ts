import type { Finding } from "../../analyze/lint/finding.ts";
import type { LintReport } from "../../analyze/lint/lint.ts";
import { LINT_CODES } from "../../analyze/lint/lint-codes.ts";
import type { SourcePosition } from "../../policy/model.ts";
import { findingsJunit, type JunitFinding } from "../junit-findings.ts";
import { repositoryPlace } from "../repository-place.ts";
import { type SarifFinding, sarifLog } from "../sarif.ts";
import type { ReadTrail } from "./read-trail.ts";

/** The stable machine-readable form, documented in docs/cli.md. */
export function lintJson(
  { findings, suppressed }: LintReport,
  failed: boolean,
  trail: ReadTrail | null,
): Record<string, unknown> {
  return {
    schema: "sallyport.dev/lint/v1",
    failed,
    findings: findings.map(findingJson),
    suppressed: suppressed.map(({ finding, suppression: { until, reason } }) => ({
      ...findingJson(finding),
      until: new Date(until).toISOString().slice(0, 10),
      reason,
    })),
    trail:
      trail === null
        ? null
        : { since: new Date(trail.sinceMs).toISOString(), records: trail.records, unreadable: trail.unreadable },
  };
}

/** The report as code scanning reads it; what comments keep quiet is in it as such. */
export function lintSarif({ findings, suppressed }: LintReport, policies: string): Record<string, unknown> {
  const all = [
    ...findings.map(sarifFinding),
    ...suppressed.map(({ finding, suppression }) => ({ ...sarifFinding(finding), suppressed: suppression.reason })),
  ];
  return sarifLog(all, (code) => Object.entries(LINT_CODES).find(([each]) => each === code)?.[1], policies);
}

/**
 * A JUnit XML report. A finding that is grave fails, another passes and is told of; what a comment keeps quiet is skipped.
 * @param files those that were asked about
 */
export function lintJunit(
  { findings, suppressed }: LintReport,
  files: readonly string[],
  isGrave: (finding: Finding) => boolean,
  policies: string,
): string {
  const told = findings.map((each): JunitFinding => {
    const outcome = isGrave(each) ? "failed" : "passed";
    return { code: each.code, message: each.message, at: each.at, outcome, text: findingText(each, policies) };
  });
  const quiet = suppressed.map(({ finding: { code, message, at }, suppression: { reason } }): JunitFinding => {
    return { code, message, at, outcome: "skipped", text: reason };
  });
  return findingsJunit(files, [...told, ...quiet], policies);
}

function findingText({ code, message, at, related, fix }: Finding, policies: string): string {
  const place = ({ file, line, column }: SourcePosition): string =>
    `${repositoryPlace(file, policies)}:${line}:${column}`;
  return [
    `${place(at)}: ${LINT_CODES[code].severity}[${code}]: ${message}`,
    ...related.map((other) => `  ${other.message}  ${place(other.at)}`),
    `  next ${fix}`,
    `see docs/lint.md#${code}`,
  ].join("\n");
}

function sarifFinding(finding: Finding): SarifFinding {
  return { ...finding, severity: LINT_CODES[finding.code].severity };
}

function findingJson({ code, message, at, subject, related, fix }: Finding): Record<string, unknown> {
  return {
    ...{ code, severity: LINT_CODES[code].severity, message, ...placeJson(at), subject },
    related: related.map((each) => ({ message: each.message, ...placeJson(each.at) })),
    fix,
  };
}

function placeJson({ file, line, column }: SourcePosition): Record<string, unknown> {
  return { file, line, column };
}

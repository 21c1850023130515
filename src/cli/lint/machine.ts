import type { Finding } from "../../analyze/lint/finding.ts";
import type { LintReport } from "../../analyze/lint/lint.ts";
import { LINT_CODES } from "../../analyze/lint/lint-codes.ts";
import type { SourcePosition } from "../../policy/model.ts";
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

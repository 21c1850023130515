import type { Finding, LintSeverity } from "../../analyze/lint/finding.ts";
import type { LintReport } from "../../analyze/lint/lint.ts";
import { LINT_CODES } from "../../analyze/lint/lint-codes.ts";
import { excerptOf } from "../../policy/excerpt.ts";
import type { PolicyFile } from "../../policy/parse-cache.ts";
import { type Annotation, printAnnotations } from "../github.ts";
import { colors, count, printLine } from "../output.ts";

const TINTS: Readonly<Record<LintSeverity, (text: string) => string>> = {
  error: colors.red,
  warning: colors.yellow,
  note: colors.cyan,
};

/** Prints findings for people, each with its line and what to do. */
export function printLint({ findings, suppressed }: LintReport, sources: readonly PolicyFile[], where: string): void {
  const lines = new Map<string, readonly string[]>();
  const linesOf = (file: string): readonly string[] => {
    const known = lines.get(file);
    if (known !== undefined) return known;
    const bytes = sources.find(({ path }) => path === file)?.bytes ?? new Uint8Array();
    const read = new TextDecoder().decode(bytes).split("\n");
    lines.set(file, read);
    return read;
  };
  for (const each of findings) printFinding(each, excerptOf(linesOf(each.at.file), each.at));
  printSummary(findings, suppressed, where);
}

/** Prints findings as annotations of a pull request. */
export function annotateLint({ findings, suppressed }: LintReport, where: string): void {
  const annotations = findings.map(({ code, message, at, related, fix }): Annotation => {
    const others = related.map((other) => `${other.message} (${other.at.file}:${other.at.line})`);
    const { severity } = LINT_CODES[code];
    const level = severity === "note" ? "notice" : severity;
    return { level, title: code, message: [message, ...others, `next: ${fix}`].join("\n"), at };
  });
  printAnnotations(annotations, where);
  printSummary(findings, suppressed, where);
}

function printSummary(findings: LintReport["findings"], suppressed: LintReport["suppressed"], where: string): void {
  const quiet = suppressed.length === 0 ? "" : `, ${suppressed.length} suppressed`;
  if (findings.length === 0) printLine(`${colors.green("ok")}  ${where}: nothing found${quiet}`);
  else printLine(`${where}: ${countsText(findings)}${quiet}\nThe codes are explained in docs/lint.md.`);
}

function printFinding({ code, message, at, related, fix }: Finding, excerpt: string | null): void {
  const { severity } = LINT_CODES[code];
  printLine(
    `${colors.bold(`${at.file}:${at.line}:${at.column}:`)} ${TINTS[severity](`${severity}[${code}]`)}: ${message}`,
  );
  for (const line of excerpt?.split("\n") ?? []) printLine(`  ${colors.dim(line)}`);
  for (const other of related) printLine(`  ${other.message}  ${colors.dim(`${other.at.file}:${other.at.line}`)}`);
  printLine(`  ${colors.dim("next")} ${fix}\n`);
}

function countsText(findings: readonly Finding[]): string {
  return (["error", "warning", "note"] as const)
    .map(
      (severity) => [severity, findings.filter(({ code }) => LINT_CODES[code].severity === severity).length] as const,
    )
    .filter(([, number]) => number > 0)
    .map(([severity, number]) => count(number, severity))
    .join(", ");
}

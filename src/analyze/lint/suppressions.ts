import { parseInstant } from "../../policy/instant.ts";
import type { PolicyFile } from "../../policy/parse-cache.ts";
import { printable } from "../../policy/printable.ts";
import { yamlMarks } from "../../policy/yaml-tokens.ts";
import type { Finding } from "./finding.ts";
import { isLintCode, LINT_CODES, type LintCode } from "./lint-codes.ts";

/** A comment that keeps findings of one code quiet until a day, for a reason. */
export interface Suppression {
  readonly code: LintCode;
  /** Milliseconds since the epoch: the first instant at which it no longer holds. */
  readonly until: number;
  readonly reason: string;
  readonly file: string;
  readonly line: number;
  readonly column: number;
  /** The lines it is for: the block under it, from the first to the last. */
  readonly first: number;
  readonly last: number;
}

/** What the comments of a policy set ask for, and what is wrong with them. */
export interface Suppressions {
  readonly all: readonly Suppression[];
  readonly findings: readonly Finding[];
}

const WORD = "sallyport-lint-ignore";
const FORM = `write \`# ${WORD} CODE until 2027-01-31: the reason\``;

/** Reads the suppressions of all files. */
export function readSuppressions(files: readonly PolicyFile[]): Suppressions {
  const all: Suppression[] = [];
  const findings: Finding[] = [];
  for (const { path, bytes } of files) {
    const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("utf8");
    if (!text.includes(WORD)) continue;
    const lines = text.split("\n");
    for (const { kind, line, column, text: comment } of yamlMarks(text)) {
      if (kind !== "comment") continue;
      const place = { file: path, line, column };
      const read = readComment(comment);
      if (read === null) continue;
      if (typeof read !== "string") all.push({ ...read, ...place, ...blockOf(lines, line) });
      else findings.push({ code: "bad-suppression", message: read, at: place, subject: null, related: [], fix: FORM });
    }
  }
  return { all, findings };
}

/** Null = not ours; a text = what is wrong with it. */
function readComment(comment: string): Pick<Suppression, "code" | "until" | "reason"> | string | null {
  const [, rest] = new RegExp(`^#+\\s*${WORD}(?![\\w-])(.*)$`).exec(comment.trimEnd()) ?? [];
  if (rest === undefined) return null;
  const [, code, until, reason] = /^\s+(\S+)(?:\s+until\s+([^\s:]+))?\s*(?::(.*))?$/.exec(rest) ?? [];
  if (code === undefined) return "a suppression names a code, its end and the reason";
  if (!isLintCode(code)) return `\`${printable(code)}\` is not a code of the lint`;
  if (LINT_CODES[code].always === true) return `\`${code}\` cannot be suppressed: mend the suppression it speaks of`;
  if (until === undefined) return `the suppression of \`${code}\` has no end`;
  const instant = /^\d{4}-\d{2}-\d{2}$/.test(until) ? parseInstant(`${until}T00:00:00Z`) : null;
  if (instant?.ok !== true) return `the suppression of \`${code}\` ends on \`${printable(until)}\`, which is no day`;
  if (reason === undefined || reason.trim() === "") return `the suppression of \`${code}\` has no reason`;
  return { code, until: instant.value, reason: printable(reason.trim()) };
}

/**
 * The block under a comment: the line it stands in or, where it stands alone, the next one with content, and what is indented
 * below it. Before a document's first line it is the whole document.
 */
function blockOf(lines: readonly string[], line: number): { readonly first: number; readonly last: number } {
  const text = (number: number): string => lines[number - 1] ?? "";
  const isEmpty = (number: number): boolean => /^\s*(#.*)?\r?$/.test(text(number));
  const isBoundary = (number: number): boolean => /^(---|\.\.\.)(\s|$)/.test(text(number));
  let first = line;
  while (first < lines.length && (isEmpty(first) || isBoundary(first))) first++;
  const whole = isDocumentStart(first);
  const indent = indentOf(text(first));
  let last = first;
  for (let next = first + 1; next <= lines.length && !isBoundary(next); next++) {
    if (isEmpty(next)) continue;
    if (!whole && indentOf(text(next)) <= indent) break;
    last = next;
  }
  return { first, last };

  function isDocumentStart(number: number): boolean {
    for (let before = number - 1; before >= 1; before--) {
      if (isBoundary(before)) return true;
      if (!isEmpty(before)) return false;
    }
    return true;
  }
}

function indentOf(line: string): number {
  return line.length - line.trimStart().length;
}

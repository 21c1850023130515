import type { Diagnostic } from "./diagnostic.ts";
import { type DiagnosticCode, severityOf } from "./diagnostic-codes.ts";
import type { SourcePosition } from "./model.ts";
import { printable } from "./printable.ts";
import type { RawDocument } from "./raw-document.ts";
import type { Result } from "./result.ts";
import type { DocumentPath } from "./yaml-source.ts";

/** Collects what is wrong, each at its place and for the namespace whose load it stops. */
export interface Reporter {
  report(document: RawDocument, path: DocumentPath, code: DiagnosticCode, message: string, fix?: string | null): void;
  /** The value of a result; on failure reports and returns null. */
  take<T>(document: RawDocument, path: DocumentPath, code: DiagnosticCode, result: Result<T>): T | null;
  /** Reports what is wrong inside a text: `value` is what stands at `path`. */
  reportWithin(
    document: RawDocument,
    path: DocumentPath,
    value: string,
    problem: {
      readonly code: DiagnosticCode;
      readonly message: string;
      readonly offset: number;
      readonly fix: string | null;
    },
  ): void;
  readonly diagnostics: readonly Diagnostic[];
}

/** `scopeOf` = the namespace whose load a document's error stops; `""` = everything. */
export function createReporter(scopeOf: (document: RawDocument) => string): Reporter {
  const diagnostics: Diagnostic[] = [];
  const add = (
    document: RawDocument,
    at: SourcePosition,
    code: DiagnosticCode,
    message: string,
    fix: string | null,
  ): void => {
    const excerpt = document.source.excerpt(at);
    diagnostics.push({
      code,
      severity: severityOf(code),
      message: printable(message),
      at,
      scope: scopeOf(document),
      excerpt,
      fix: fix === null ? null : printable(fix),
    });
  };
  const report: Reporter["report"] = (document, path, code, message, fix = null) =>
    add(document, document.source.position(path), code, message, fix);
  return {
    report,
    reportWithin(document, path, value, { code, message, offset, fix }) {
      add(document, document.source.positionWithin(path, value, offset), code, message, fix);
    },
    take(document, path, code, result) {
      if (result.ok) return result.value;
      report(document, path, code, result.message, result.fix);
      return null;
    },
    diagnostics,
  };
}

/** All problems, each once, by file, line, column, code. */
export function sortDiagnostics(diagnostics: readonly Diagnostic[]): Diagnostic[] {
  const seen = new Set<string>();
  return diagnostics
    .filter((each) => {
      const key = `${each.at.file}:${each.at.line}:${each.at.column}:${each.code}:${each.message}`;
      if (seen.has(key)) return false;
      seen.add(key);
      return true;
    })
    .sort(
      (a, b) =>
        compareText(a.at.file, b.at.file) ||
        a.at.line - b.at.line ||
        a.at.column - b.at.column ||
        compareText(a.code, b.code) ||
        compareText(a.message, b.message),
    );
}

/** Code-unit order: the same on every machine. */
export function compareText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

/** The start of a document's name: where it "is". */
export function positionOf(document: RawDocument, path: DocumentPath = ["metadata", "name"]): SourcePosition {
  return document.source.position(path);
}

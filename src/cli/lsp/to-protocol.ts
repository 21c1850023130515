import {
  type CompletionItem,
  CompletionItemKind,
  DiagnosticSeverity,
  type Diagnostic as ProtocolDiagnostic,
  type Range,
} from "vscode-languageserver/node";
import type { TextDocument } from "vscode-languageserver-textdocument";
import type { Suggestion } from "../../editor/complete.ts";
import type { Diagnostic } from "../../policy/diagnostic.ts";
import type { SourcePosition } from "../../policy/model.ts";

const KINDS: Readonly<Record<Suggestion["kind"], CompletionItemKind>> = {
  key: CompletionItemKind.Property,
  value: CompletionItemKind.Value,
  service: CompletionItemKind.Module,
  group: CompletionItemKind.Class,
  host: CompletionItemKind.Reference,
  workload: CompletionItemKind.Constant,
  rule: CompletionItemKind.Event,
};

/** A suggestion that replaces what is written between two offsets. */
export function completionItem(
  { label, kind, detail, insert }: Suggestion,
  document: TextDocument,
  place: { readonly start: number; readonly end: number },
): CompletionItem {
  const range = { start: document.positionAt(place.start), end: document.positionAt(place.end) };
  const follows = document.getText().startsWith(":", place.end);
  const newText = kind === "key" && follows ? label : insert;
  return {
    label,
    kind: KINDS[kind],
    ...(detail === null ? {} : { detail }),
    filterText: label,
    textEdit: { range, newText },
  };
}

/** A diagnostic under the word that it speaks of. @param text of its file, or null */
export function protocolDiagnostic(diagnostic: Diagnostic, text: string | null): ProtocolDiagnostic {
  const { code, severity, message, at, fix } = diagnostic;
  return {
    range: wordAt(at, text),
    severity: severity === "error" ? DiagnosticSeverity.Error : DiagnosticSeverity.Warning,
    code,
    source: "sallyport",
    message: fix === null ? message : `${message}\nwrite ${fix}`,
  };
}

/** The word at a position. Where the text is not there, the position alone. */
export function wordAt({ line, column }: SourcePosition, text: string | null): Range {
  const rest = (text?.split("\n", line)[line - 1] ?? "").slice(column - 1);
  const word = /^(?:"(?:[^"\\]|\\.)*"|'[^']*'|[^\s,\]}]*[^\s,\]}:]|\S)/.exec(rest)?.[0] ?? "";
  const start = { line: line - 1, character: column - 1 };
  return { start, end: { ...start, character: start.character + word.length } };
}

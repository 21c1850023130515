import { isDeepStrictEqual } from "node:util";
import type { Diagnostic } from "../diagnostic.ts";
import { placeOf } from "../place.ts";
import { diagnosticOf } from "../read-documents.ts";
import { readYaml, type SourceFile } from "../yaml-source.ts";
import { yamlMarks } from "../yaml-tokens.ts";
import { attachComments } from "./attach-comments.ts";
import { readLayout } from "./layout.ts";
import { printDocument } from "./print.ts";

/** What came of laying out a file. */
export type Formatted =
  | { readonly kind: "formatted"; readonly text: string; readonly changed: boolean }
  /** It is no YAML that the language takes. */
  | { readonly kind: "invalid"; readonly diagnostics: readonly Diagnostic[] }
  /** Laid out, it would say something else or lose a comment: it must stay as it is. */
  | { readonly kind: "refused" };

/**
 * The canonical layout of a policy file: the same documents, the same comments. Laying out twice changes nothing. Looks at
 * YAML only: what the documents mean need not be valid. Never throws for input.
 * @see docs/policy-language.md
 */
export function formatPolicyFile(path: string, bytes: Uint8Array): Formatted {
  const source = readYaml(path, bytes);
  if (source.problems.length > 0) {
    return { kind: "invalid", diagnostics: source.problems.map((each) => diagnosticOf(each, placeOf(path))) };
  }
  const original = new TextDecoder("utf-8").decode(bytes);
  const text = original.replaceAll("\r\n", "\n");
  const documents = readLayout(text);
  const marks = [...yamlMarks(text)];
  attachComments(documents, marks, text);
  const laidOut = `${documents.map((each) => printDocument(each).join("\n")).join("\n---\n")}\n`;
  if (!saysTheSame(source, readYaml(path, new TextEncoder().encode(laidOut)))) return { kind: "refused" };
  if (!isDeepStrictEqual(commentsIn(marks), commentsIn([...yamlMarks(laidOut)]))) return { kind: "refused" };
  return { kind: "formatted", text: laidOut, changed: !isSame(bytes, laidOut) };
}

function saysTheSame(one: SourceFile, other: SourceFile): boolean {
  return (
    other.problems.length === 0 &&
    isDeepStrictEqual(
      one.documents.map(({ value }) => value),
      other.documents.map(({ value }) => value),
    )
  );
}

function commentsIn(marks: Iterable<{ readonly kind: string; readonly text: string }>): string[] {
  return [...marks]
    .filter(({ kind }) => kind === "comment")
    .map(({ text }) => text.trimEnd())
    .sort();
}

function isSame(bytes: Uint8Array, text: string): boolean {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).equals(Buffer.from(text));
}

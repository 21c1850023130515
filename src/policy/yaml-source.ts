import { isScalar, type ParsedNode, parseAllDocuments, type YAMLParseError } from "yaml";
import type { Diagnostic } from "./diagnostic.ts";
import type { DiagnosticCode } from "./diagnostic-codes.ts";
import { LIMITS } from "./limits.ts";
import { createLineIndex, type LineIndex } from "./line-index.ts";
import type { SourcePosition } from "./model.ts";
import { readPlainYaml } from "./plain/read-plain.ts";
import { offsetInSource } from "./scalar-offset.ts";
import { refuseFeatures } from "./yaml-features.ts";
import { notePlaces, Places } from "./yaml-places.ts";

export type DocumentPath = readonly (string | number)[];

/** One YAML document: its plain value, and where each part of it stands. */
export interface SourceDocument {
  readonly value: unknown;
  /** Position of the value at `path`; where nothing is there, of the nearest thing above it. */
  position(path: DocumentPath): SourcePosition;
  /** Position within the text at `path`, which is `value`: of its character at `offset`. */
  positionWithin(path: DocumentPath, value: string, offset: number): SourcePosition;
  /** Position of the key that leads to `path`. */
  keyPosition(path: DocumentPath): SourcePosition;
  /** The line of a position and a caret under it. */
  excerpt(at: SourcePosition): string | null;
}

/** Where each part of a document stands, without what it says. */
export type DocumentPlaces = Omit<SourceDocument, "value">;

export interface SourceFile {
  readonly documents: readonly SourceDocument[];
  readonly problems: readonly SourceProblem[];
}

export type SourceProblem = Omit<Diagnostic, "scope" | "severity" | "code"> & { readonly code: DiagnosticCode };

const LINE_END = 0x0a;
const COMMA = 0x2c;
const COLON = 0x3a;
const DASH = 0x2d;
const QUESTION = 0x3f;
const OPEN_LIST = 0x5b;
const CLOSE_LIST = 0x5d;
const OPEN_MAP = 0x7b;
const CLOSE_MAP = 0x7d;

const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: false });

/** Reads a policy file strictly: no anchors, aliases, tags, duplicate keys, empty documents, or anything but UTF-8. Never throws. */
export function readYaml(file: string, bytes: Uint8Array): SourceFile {
  const whole = (code: DiagnosticCode, message: string): SourceFile => wholeFile(file, code, message);
  if (bytes.length > LIMITS.fileBytes) {
    return whole("file-too-large", `the file has more than ${LIMITS.fileBytes} bytes: split it`);
  }
  let text: string;
  try {
    text = decoder.decode(bytes);
  } catch {
    return whole("not-utf8", "the file is not UTF-8 text");
  }
  // A text has no more signs than characters.
  if (text.length > LIMITS.fileMarks && marksOf(text) > LIMITS.fileMarks) {
    return whole("limit-exceeded", `the file has more than ${LIMITS.fileMarks} lines and values: split it`);
  }
  try {
    return compose(file, text, whole);
  } catch {
    return whole("too-deep", `collections are nested more than ${LIMITS.depth} deep`);
  }
}

/** A file of which nothing but a problem is known. */
export function wholeFile(file: string, code: DiagnosticCode, message: string): SourceFile {
  return { documents: [], problems: [{ code, message, at: { file, line: 1, column: 1 }, excerpt: null, fix: null }] };
}

/** How many signs there are that separate values. */
function marksOf(text: string): number {
  let marks = 0;
  for (let i = 0; i < text.length; i++) {
    switch (text.charCodeAt(i)) {
      case LINE_END:
      case COMMA:
      case COLON:
      case DASH:
      case QUESTION:
        marks += 1;
        break;
    }
  }
  return marks;
}

/** The most flow brackets that are open at once, without parsing: too many would overflow the library's stack. */
function deepestOf(text: string): number {
  let open = 0;
  let deepest = 0;
  for (let i = 0; i < text.length; i++) {
    switch (text.charCodeAt(i)) {
      case OPEN_LIST:
      case OPEN_MAP:
        open += 1;
        if (open > deepest) deepest = open;
        break;
      case CLOSE_LIST:
      case CLOSE_MAP:
        if (open > 0) open -= 1;
        break;
    }
  }
  return deepest;
}

/** Makes documents of one file from their values and places. */
type DocumentMaker = (value: unknown, places: Places) => SourceDocument;

function documentMaker(file: string, text: string, lines: LineIndex): DocumentMaker {
  const positionAt = (offset: number): SourcePosition => ({ file, ...lines.positionAt(offset) });
  return (value, places) => ({
    value,
    position: (path) => positionAt(places.locate(path, false)),
    positionWithin: (path, value, offset) =>
      positionAt(offsetInSource(text, places.locate(path, false), value, offset)),
    keyPosition: (path) => positionAt(places.locate(path, true)),
    excerpt: lines.excerpt,
  });
}

function compose(file: string, text: string, whole: (code: DiagnosticCode, message: string) => SourceFile): SourceFile {
  const lines = createLineIndex(text);
  const documentOf = documentMaker(file, text, lines);
  const plain = readPlainYaml(text);
  if (plain !== null) return { documents: plain.map(({ value, places }) => documentOf(value, places)), problems: [] };
  if (deepestOf(text) > LIMITS.depth * 8) {
    return whole("too-deep", `collections are nested more than ${LIMITS.depth} deep`);
  }
  const parsed = parseAllDocuments<ParsedNode>(text, {
    prettyErrors: false,
    uniqueKeys: false,
    stringKeys: true,
    version: "1.2",
    schema: "core",
    logLevel: "silent",
  });
  if (!Array.isArray(parsed) || parsed.length === 0) return whole("empty-file", "the file holds no document");
  if (parsed.length > LIMITS.documentsPerFile) {
    return whole("too-many-documents", `the file holds more than ${LIMITS.documentsPerFile} documents: split it`);
  }
  const problems: SourceProblem[] = [];
  const report = (code: DiagnosticCode, message: string, offset: number, fix: string | null = null): void => {
    const at = { file, ...lines.positionAt(offset) };
    problems.push({ code, message, at, excerpt: lines.excerpt(at), fix });
  };
  for (const { index } of text.matchAll(/(?<![^\n\r])%/g)) {
    report("yaml-directive", "a YAML directive is not allowed: every file is YAML 1.2", index);
  }
  if (problems.length > 0) return { documents: [], problems };
  const documents: SourceDocument[] = [];
  for (const document of parsed) {
    const { contents } = document;
    if (contents === null || (isScalar(contents) && contents.value === null)) {
      if (document.errors.length === 0) {
        const start = text.indexOf("\n", document.range[0]) + 1;
        report("empty-document", "the document is empty: remove a `---` too many", start);
        continue;
      }
    }
    const before = problems.length;
    reportError(document.errors, report);
    if (contents === null || problems.length > before) continue;
    refuseFeatures(contents, text, report);
    if (problems.length > before) continue;
    const places = new Places(text);
    notePlaces(places, contents);
    documents.push(documentOf(document.toJS({ maxAliasCount: 0 }), places));
  }
  return { documents, problems };
}

/** The first error of a document: those after it mostly follow from it. */
function reportError(
  errors: readonly YAMLParseError[],
  report: (code: DiagnosticCode, message: string, offset: number, fix?: string | null) => void,
): void {
  const [first] = errors;
  if (first === undefined) return;
  const { message, pos } = first;
  if (/alias/i.test(message)) {
    report("yaml-alias", "a value that begins with `*` is a YAML alias", pos[0], "put it in quotes");
  } else if (/tag/i.test(message)) report("yaml-tag", "a YAML tag is not allowed: text stands in quotes", pos[0]);
  else if (/call stack/i.test(message)) {
    report("too-deep", `collections are nested more than ${LIMITS.depth} deep`, pos[0]);
  } else report("yaml-syntax", `not YAML: ${firstLine(message)}`, pos[0]);
}

function firstLine(message: string): string {
  const line = (message.split("\n")[0] ?? message).replace(/[.:]+$/, "");
  return line.charAt(0).toLowerCase() + line.slice(1);
}

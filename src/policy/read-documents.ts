import type { Diagnostic } from "./diagnostic.ts";
import { type DiagnosticCode, severityOf } from "./diagnostic-codes.ts";
import { isTestFile, placeOf } from "./place.ts";
import { printable } from "./printable.ts";
import type { RawDocument } from "./raw-document.ts";
import { API_VERSION } from "./schema/common.ts";
import { checkerOf } from "./schema/compiled.ts";
import { isKind, KINDS } from "./schema/kinds.ts";
import { shapeProblems } from "./shape-problem.ts";
import { suggest } from "./suggest.ts";
import { parseName } from "./token.ts";
import { type DocumentPath, readYaml, type SourceDocument, type SourceProblem, wholeFile } from "./yaml-source.ts";

/** What one file holds. Pure in path and bytes, hence cacheable. */
export interface ParsedFile {
  readonly path: string;
  readonly documents: readonly RawDocument[];
  readonly diagnostics: readonly Diagnostic[];
}

/** Reads a file's documents and checks their shape. Whatever is wrong, also why there are no bytes to read, belongs to the file's directory. */
export function readDocuments(path: string, bytes: Uint8Array, unreadable?: string): ParsedFile {
  const place = placeOf(path);
  const diagnostics: Diagnostic[] = [];
  const add = (problem: SourceProblem): void => {
    diagnostics.push(diagnosticOf(problem, place));
  };
  const { documents: sources, problems } =
    unreadable === undefined
      ? readYaml(path, bytes)
      : wholeFile(path, "unreadable-file", `this cannot be read: ${unreadable}`);
  for (const problem of problems) add(problem);
  const documents: RawDocument[] = [];
  for (const source of sources) {
    const document = readDocument(path, place, source, add);
    if (document !== null) documents.push(document);
  }
  return { path, documents, diagnostics };
}

/** What is wrong in a file, as everybody is told of it. `scope` = the namespace whose load it stops. */
export function diagnosticOf(problem: SourceProblem, scope: string): Diagnostic {
  const message = printable(problem.message);
  const fix = problem.fix === null ? null : printable(problem.fix);
  return { ...problem, message, fix, scope, severity: severityOf(problem.code) };
}

function readDocument(
  file: string,
  place: string,
  source: SourceDocument,
  add: (problem: SourceProblem) => void,
): RawDocument | null {
  // What a document said before it was checked is not kept: it is as much again.
  const { value, ...places } = source;
  const report = (code: DiagnosticCode, message: string, path: DocumentPath, fix: string | null = null): null => {
    const at = source.position(path);
    add({ code, message, at, excerpt: source.excerpt(at), fix });
    return null;
  };
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    return report("wrong-type", "a document is a map with `apiVersion`, `kind`, `metadata` and `spec`", []);
  }
  const { kind } = value as { kind?: unknown };
  if (kind === undefined) return report("missing-key", "`kind` is missing", []);
  if (!isKind(kind)) {
    const meant = typeof kind === "string" ? suggest(kind, Object.keys(KINDS)) : null;
    return report("unknown-kind", `\`${String(kind)}\` is not a kind of ${API_VERSION}`, ["kind"], meant);
  }
  const schema = KINDS[kind];
  const parsed = checkerOf(kind).safeParse(value);
  if (!parsed.success) {
    for (const problem of shapeProblems(schema, source, parsed.error.issues)) add(problem);
    return null;
  }
  const test = kind === "DecisionTest";
  if (test !== isTestFile(file)) {
    const message = test ? "tests live in files named `*.test.yaml`" : "a `*.test.yaml` file holds tests only";
    return report("test-file", message, ["kind"]);
  }
  const { metadata, spec } = parsed.data;
  const name = parseName(metadata.name);
  if (!name.ok) return report("invalid-name", name.message, ["metadata", "name"], name.fix);
  const owner = parseName(place);
  if (place !== "" && !owner.ok) {
    const message = `the directory \`${place}/\` names no namespace: ${owner.message}`;
    return report("invalid-name", message, ["metadata", "name"], owner.fix);
  }
  const namespace = metadata.namespace ?? null;
  if (namespace !== null) {
    const valid = parseName(namespace);
    if (!valid.ok) return report("invalid-name", valid.message, ["metadata", "namespace"], valid.fix);
    if (place !== "" && namespace !== place) {
      const message = `this file lies in \`${place}/\` and speaks for that namespace only, not for \`${namespace}\``;
      return report("namespace-mismatch", message, ["metadata", "namespace"], place);
    }
  }
  return {
    kind,
    file,
    place,
    namespace: place === "" ? namespace : place,
    name: metadata.name,
    spec,
    source: places,
  } as RawDocument;
}

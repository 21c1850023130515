import type { z } from "zod";
import type { DiagnosticCode } from "../policy/diagnostic-codes.ts";
import type { SourcePosition } from "../policy/model.ts";
import type { PolicyFile } from "../policy/parse-cache.ts";
import { shapeProblems } from "../policy/shape-problem.ts";
import {
  type DocumentPath,
  readYaml,
  type SourceDocument,
  type SourceProblem,
  wholeFile,
} from "../policy/yaml-source.ts";

/** A document of a source in its shape, and where each part of it stands. */
export interface SourceObject<T> {
  readonly value: T;
  readonly source: SourceDocument;
}

/** What there is to read, or what is wrong with it. */
export interface ReadSource<T> {
  readonly objects: readonly T[];
  readonly problems: readonly SourceProblem[];
}

/** The documents of a file, as strictly as a policy file is read. Documents without anything in them do not count. */
export function readFile(file: PolicyFile): ReadSource<SourceDocument> {
  const { documents, problems } =
    file.unreadable === undefined
      ? readYaml(file.path, file.bytes)
      : wholeFile(file.path, "unreadable-file", `this cannot be read: ${file.unreadable}`);
  return { objects: documents, problems: problems.filter(({ code }) => !NOTHING.has(code)) };
}

const NOTHING: ReadonlySet<DiagnosticCode> = new Set(["empty-file", "empty-document"]);

/** The one document of a file that has exactly one. */
export function readOne(file: PolicyFile): ReadSource<SourceDocument> {
  const read = readFile(file);
  const [first, second] = read.objects;
  if (read.problems.length > 0) return { objects: [], problems: read.problems };
  if (first === undefined) return { objects: [], ...wholeProblem(file, "empty-file", "the file holds no document") };
  if (second === undefined) return read;
  const problem = problemAt(second, [], "too-many-documents", "the file holds more than one document");
  return { objects: [], problems: [problem] };
}

function wholeProblem(file: PolicyFile, code: DiagnosticCode, message: string): Pick<ReadSource<never>, "problems"> {
  return { problems: wholeFile(file.path, code, message).problems };
}

/** A document in the shape that is expected of it. */
export function readShape<S extends z.ZodType>(
  schema: S,
  source: SourceDocument,
): ReadSource<SourceObject<z.output<S>>> {
  const parsed = schema.safeParse(source.value);
  if (parsed.success) return { objects: [{ value: parsed.data, source }], problems: [] };
  return { objects: [], problems: shapeProblems(schema, source, parsed.error.issues) };
}

/** A problem at a place of a document. */
export function problemAt(
  source: SourceDocument,
  path: DocumentPath,
  code: DiagnosticCode,
  message: string,
  fix: string | null = null,
): SourceProblem {
  const at: SourcePosition = source.position(path);
  return { code, message, at, excerpt: source.excerpt(at), fix };
}

import { z } from "zod";
import type { SourcePosition } from "../policy/model.ts";
import type { PolicyFile } from "../policy/parse-cache.ts";
import type { DocumentPath, SourceDocument, SourceProblem } from "../policy/yaml-source.ts";
import { type ReadSource, readFile, readShape } from "./read-source.ts";

/** An object of Kubernetes, of which only kind and name have been looked at. */
export interface ObjectSource {
  /** `security.istio.io`; `""` for the core. */
  readonly group: string;
  readonly kind: string;
  readonly name: string;
  readonly namespace: string;
  readonly annotations: Readonly<Record<string, unknown>>;
  readonly source: SourceDocument;
}

/** An object whose `spec` is in the shape that its kind has. */
export interface ObjectOf<S> extends ObjectSource {
  readonly spec: S;
  /** Where a part of the spec stands. */
  at(...path: DocumentPath): SourcePosition;
}

const metadata = z.looseObject({
  name: z.string().min(1),
  namespace: z.string().nullish(),
  annotations: z.record(z.string(), z.unknown()).nullish(),
});

const anyObject = z.looseObject({ apiVersion: z.string(), kind: z.string(), metadata });
const list = z.looseObject({ items: z.array(z.unknown()) });
const MAX_OBJECTS = 50_000;

/**
 * The objects of all files; what `kubectl get -o yaml` prints as a List is taken apart. A document that is no object of
 * Kubernetes, having no `apiVersion` or `kind`, is passed over, as the API server would refuse it.
 */
export function readObjects(files: readonly PolicyFile[]): ReadSource<ObjectSource> {
  const objects: ObjectSource[] = [];
  const problems: SourceProblem[] = [];
  for (const file of files) {
    const read = readFile(file);
    problems.push(...read.problems);
    for (const source of read.objects.flatMap((each) => itemsOf(each))) {
      const { apiVersion, kind } = (source.value ?? {}) as { apiVersion?: unknown; kind?: unknown };
      if (typeof apiVersion !== "string" || typeof kind !== "string") continue;
      const shaped = readShape(anyObject, source);
      problems.push(...shaped.problems);
      for (const { value } of shaped.objects) {
        objects.push({
          group: apiVersion.includes("/") ? apiVersion.slice(0, apiVersion.indexOf("/")) : "",
          kind,
          name: value.metadata.name,
          namespace: value.metadata.namespace ?? "default",
          annotations: value.metadata.annotations ?? {},
          source,
        });
      }
      if (objects.length > MAX_OBJECTS) {
        const at = { file: file.path, line: 1, column: 1 };
        const message = `there are more than ${MAX_OBJECTS} objects: import them in parts`;
        return { objects: [], problems: [{ code: "limit-exceeded", message, at, excerpt: null, fix: null }] };
      }
    }
  }
  return { objects, problems };
}

/** The objects of one kind with their specs; those of another shape as problems. */
export function objectsOf<S extends z.ZodType>(
  all: readonly ObjectSource[],
  group: string,
  kind: string,
  spec: S,
): ReadSource<ObjectOf<z.output<S>>> {
  const schema = z.strictObject({
    apiVersion: z.string(),
    kind: z.string(),
    metadata: z.unknown(),
    spec,
    status: z.unknown().optional(),
  });
  const objects: ObjectOf<z.output<S>>[] = [];
  const problems: SourceProblem[] = [];
  for (const each of all) {
    if (each.group !== group || each.kind !== kind) continue;
    const shaped = readShape(schema, each.source);
    problems.push(...shaped.problems);
    for (const { value, source } of shaped.objects) {
      const at = (...path: DocumentPath) => source.position(["spec", ...path]);
      objects.push({ ...each, spec: (value as { spec: z.output<S> }).spec, at });
    }
  }
  return { objects, problems };
}

/** The problem of a source that holds nothing of what is imported. */
export function nothingOf(kinds: string): SourceProblem {
  const message = `there is no ${kinds} in the YAML files here`;
  return { code: "empty-file", message, at: { file: ".", line: 1, column: 1 }, excerpt: null, fix: null };
}

function itemsOf(document: SourceDocument): readonly SourceDocument[] {
  const { kind } = (document.value ?? {}) as { kind?: unknown };
  if (typeof kind !== "string" || !kind.endsWith("List")) return [document];
  const items = list.safeParse(document.value);
  if (!items.success) return [document];
  return items.data.items.map((value, i) => ({
    value,
    position: (path) => document.position(["items", i, ...path]),
    keyPosition: (path) => document.keyPosition(["items", i, ...path]),
    positionWithin: (path, value, offset) => document.positionWithin(["items", i, ...path], value, offset),
    excerpt: document.excerpt,
  }));
}

import type { z } from "zod";
import type { DocumentPath } from "./yaml-source.ts";

/** What stands at `path` of a plain value; undefined where nothing does. */
export function valueAt(value: unknown, path: DocumentPath): unknown {
  let here = value;
  for (const part of path) {
    if (typeof here !== "object" || here === null) return undefined;
    here = (here as Record<string | number, unknown>)[part];
  }
  return here;
}

/** The keys that a map at `path` may have, in the order of the documentation; none where any key may stand. */
export function keysAt(schema: z.ZodType, path: DocumentPath): readonly string[] {
  return Object.keys((schemaAt(schema, path) as { shape?: object } | undefined)?.shape ?? {});
}

/** What `key` of a map at `path` means, in one line; null where nothing is said. */
export function meaningAt(schema: z.ZodType, path: DocumentPath, key: string): string | null {
  const { shape } = (schemaAt(schema, path) ?? {}) as { shape?: Record<string, { description?: string }> };
  return (Object.hasOwn(shape ?? {}, key) ? shape?.[key]?.description : null) ?? null;
}

/** The values among which one must choose at `path`; none where any may stand. */
export function choicesAt(schema: z.ZodType, path: DocumentPath): readonly string[] {
  const last = path.at(-1);
  if (last === undefined) return [];
  return choicesOf(below(schemaAt(schema, path.slice(0, -1)), last));
}

function choicesOf(schema: unknown): readonly string[] {
  const { def } = (schema ?? {}) as { def?: { type?: string; innerType?: unknown; options?: readonly unknown[] } };
  if (def?.options !== undefined) return def.options.flatMap(choicesOf);
  if (def?.innerType !== undefined) return choicesOf(def.innerType);
  const { entries, values } = (def ?? {}) as { entries?: Record<string, string>; values?: readonly unknown[] };
  if (def?.type === "enum") return Object.values(entries ?? {});
  if (def?.type === "literal") return (values ?? []).map(String);
  return def?.type === "boolean" ? ["true", "false"] : [];
}

function schemaAt(schema: z.ZodType, path: DocumentPath): unknown {
  let here: unknown = unwrap(schema);
  for (const part of path) here = unwrap(below(here, part));
  return here;
}

function below(schema: unknown, part: string | number): unknown {
  const { shape, element, valueType } = (schema ?? {}) as {
    shape?: Record<string, unknown>;
    element?: unknown;
    valueType?: unknown;
  };
  if (typeof part === "number") return element;
  return shape !== undefined && Object.hasOwn(shape, part) ? shape[part] : valueType;
}

/** Sees through optional, default and described types; of a choice takes the map. */
function unwrap(schema: unknown): unknown {
  if (typeof schema !== "object" || schema === null) return schema;
  let here: unknown = schema;
  for (let i = 0; i < 8; i++) {
    const { innerType, options } = (here as { def?: { innerType?: unknown; options?: readonly object[] } }).def ?? {};
    if (options !== undefined) return options.find((option) => "shape" in option) ?? here;
    if (innerType === undefined) return here;
    here = innerType;
  }
  return here;
}

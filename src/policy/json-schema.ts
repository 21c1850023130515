import { z } from "zod";
import { KINDS, type Kind } from "./schema/kinds.ts";

const DIALECT = "https://json-schema.org/draft/2020-12/schema";

/** The JSON Schema of one kind as authors write it: what has a default may be left out. */
export function kindSchema(kind: Kind): Record<string, unknown> {
  const { $schema: _, ...schema } = z.toJSONSchema(KINDS[kind], { target: "draft-2020-12", io: "input" });
  return { $schema: DIALECT, title: kind, ...schema };
}

/** One schema for files that hold documents of any kind. */
export function anyKindSchema(): Record<string, unknown> {
  const kinds = Object.keys(KINDS) as Kind[];
  const definitions = kinds.map((kind) => {
    const { $schema: _, ...schema } = kindSchema(kind);
    return [kind, schema] as const;
  });
  return {
    $schema: DIALECT,
    title: "Sallyport policy document",
    type: "object",
    required: ["kind"],
    properties: { kind: { enum: kinds } },
    allOf: kinds.map((kind) => ({
      if: { properties: { kind: { const: kind } } },
      // biome-ignore lint/suspicious/noThenProperty: the keyword of JSON Schema.
      then: { $ref: `#/$defs/${kind}` },
    })),
    $defs: Object.fromEntries(definitions),
  };
}

/** `EgressPolicy` → `egress-policy.schema.json` */
export function schemaFileName(kind: Kind): string {
  return `${kind.replace(/(?<=[a-z])(?=[A-Z])/g, "-").toLowerCase()}.schema.json`;
}

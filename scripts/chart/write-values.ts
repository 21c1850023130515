import { Document, isMap, isScalar, type Pair, Scalar } from "yaml";
import { z } from "zod";
import { STANDARDS, VALUES_SCHEMA } from "./values.ts";

/** One value: where it stands, its standard and what it is. */
interface ChartValue {
  readonly path: readonly string[];
  readonly standard: unknown;
  readonly description: string;
}

const HEADER = " Made by `npm run generate` from scripts/chart/values.ts: change it there.";

/** deploy/chart/values.yaml: every value with its standard, and what it is above it. */
export function valuesFile(): string {
  const document = new Document(STANDARDS);
  document.commentBefore = HEADER;
  const descriptions = new Map(chartValues().map(({ path, description }) => [path.join("."), description]));
  describe(document.contents, []);
  return document.toString({ lineWidth: 0 });

  function describe(node: unknown, path: readonly string[]): void {
    if (!isMap(node)) return;
    for (const pair of node.items as Pair[]) {
      const { key, value } = pair;
      if (!isScalar(key)) continue;
      const here = [...path, String(key.value)];
      const text = descriptions.get(here.join("."));
      if (text !== undefined) key.commentBefore = ` ${text}`;
      if (isScalar(value) && typeof value.value === "string" && value.value.includes("\n"))
        value.type = Scalar.BLOCK_LITERAL;
      describe(value, here);
    }
  }
}

/** deploy/chart/values.schema.json: unknown values are errors of Helm. */
export function valuesSchema(): object {
  return z.toJSONSchema(VALUES_SCHEMA, {
    target: "draft-7",
    io: "input",
    // Standards are those of values.yaml.
    override: ({ jsonSchema }) => void delete jsonSchema.default,
  });
}

/** The rows of the chart's README. */
export function valuesTable(): string {
  const rows = chartValues().map(({ path, standard, description }) => {
    const long = typeof standard === "string" && standard.includes("\n");
    const shown =
      path.join(".") === "policies.files" || long
        ? "an EgressGateway that lets nothing out"
        : `\`${JSON.stringify(standard)}\``;
    return `| \`${path.join(".")}\` | ${shown.replaceAll("|", "\\|")} | ${description.replaceAll("|", "\\|")} |`;
  });
  return ["| value | standard | what it is |", "|---|---|---|", ...rows].join("\n");
}

/** All values, in their order; `config` and its like count as one. */
function chartValues(): readonly ChartValue[] {
  return valuesOf(VALUES_SCHEMA, [], STANDARDS);
}

function valuesOf(schema: z.ZodObject, path: readonly string[], standards: object): ChartValue[] {
  return Object.entries(schema.shape).flatMap(([key, field]): ChartValue[] => {
    const here = [...path, key];
    const standard: unknown = Reflect.get(standards, key);
    if (!(field instanceof z.ZodType)) return [];
    if (field.description !== undefined) return [{ path: here, standard, description: field.description }];
    const inner = field instanceof z.ZodPrefault ? field.unwrap() : field;
    if (!(inner instanceof z.ZodObject) || typeof standard !== "object" || standard === null) {
      throw new Error(`${here.join(".")} says nothing of itself`);
    }
    return valuesOf(inner, here, standard);
  });
}

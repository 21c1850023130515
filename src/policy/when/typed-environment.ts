import { Environment } from "@marcbachmann/cel-js";
import { ENVIRONMENT } from "./environment.ts";

/** Sizes beyond which a text is not even read. */
const PARSE_LIMITS = { maxAstNodes: 400, maxDepth: 24, maxListElements: 128, maxMapEntries: 16, maxCallArguments: 4 };

/** The language's CEL environment: `subject` and `target` field by field, `headers` and `now`. */
export function createTypedEnvironment(): Environment {
  const environment = new Environment({ limits: PARSE_LIMITS })
    .registerVariable("headers", "map<string, string>")
    .registerVariable("now", "google.protobuf.Timestamp");
  for (const [name, fields] of Object.entries(ENVIRONMENT)) {
    const schema = Object.fromEntries(Object.entries(fields).map(([field, { type }]) => [field, type]));
    environment.registerVariable(name, { schema });
  }
  return environment;
}

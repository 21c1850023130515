import { encodeJson } from "./encode.ts";
import { toOcsf } from "./ocsf.ts";

/** How a sink writes lines: as they are, or as OCSF. */
export const SHAPES = ["sallyport", "ocsf"] as const;
export type AuditShape = (typeof SHAPES)[number];

/** One line of the trail as a sink sends it. */
export type Reshape = (line: string) => string;

/** Turns lines into a shape. `version` is this program's own. */
export function createReshape(shape: AuditShape, version: string): Reshape {
  if (shape === "sallyport") return (line) => line;
  return (line) => encodeJson(toOcsf(JSON.parse(line), version, Date.now()));
}

/** The lines of a batch. */
export function linesOf(bytes: Buffer): readonly string[] {
  return bytes.toString("utf8").split("\n").slice(0, -1);
}

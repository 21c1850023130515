import type { SourcePosition } from "../policy/model.ts";
import type { Names } from "./names.ts";
import type { Place } from "./place.ts";
import { documentNamedAt, referenceKindAt } from "./reference.ts";

/** Where the service, group or rule is defined that is named at a place; null when none is. */
export function definitionAt(place: Place, names: Names): SourcePosition | null {
  if (referenceKindAt(place) === "rule") return names.rules.get(place.text) ?? null;
  return documentNamedAt(place, names)?.at ?? null;
}

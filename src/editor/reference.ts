import { type NamedDocument, type Names, scopeOf, visibleTo } from "./names.ts";
import type { Place } from "./place.ts";

/** What a text of a policy file may mean. */
export type ReferenceKind = "service" | "group" | "rule";

/** What is named at a place, where that is one of what others define; null elsewhere. */
export function referenceKindAt({ kind, path, role }: Pick<Place, "kind" | "path" | "role">): ReferenceKind | null {
  if (role === "key") return null;
  const [top, list] = path;
  const last = path.at(-1);
  if (top !== "spec") return null;
  if (kind === "EgressPolicy" && list === "rules" && last === "service") return "service";
  if (kind === "EgressPolicy" && list === "rules" && last === "group") return "group";
  if (kind === "ExternalService" && (list === "mirror" || list === "split") && last === "service") return "service";
  if (kind === "DecisionTest" && path.at(-3) === "expect" && path.at(-2) === "rules") return "rule";
  return null;
}

/** The service or group that a place names or defines; null when it is none, or nobody defines it. */
export function documentNamedAt(
  place: Place,
  names: Names,
): NamedDocument<"ExternalService"> | NamedDocument<"IdentityGroup"> | null {
  const { kind, path, role, text } = place;
  const scope = scopeOf(names, place.namespace);
  const isName = role === "value" && path.length === 2 && path[0] === "metadata" && path[1] === "name";
  const means = isName ? DEFINES[kind ?? ""] : referenceKindAt(place);
  if (means === "service") return visibleTo(names.services, scope).find(({ name }) => name === text) ?? null;
  if (means === "group") return visibleTo(names.groups, scope).find(({ name }) => name === text) ?? null;
  return null;
}

const DEFINES: Readonly<Record<string, ReferenceKind>> = { ExternalService: "service", IdentityGroup: "group" };

import { buildSelectors, type SelectorContext } from "./build-selector.ts";
import type { IdentityGroup, IdentitySelector, Scope } from "./model.ts";
import type { RawDocumentOf } from "./raw-document.ts";
import { positionOf } from "./reporter.ts";

/** Checks a group's members; a namespace's group holds only its own workloads and sets no fallback. */
export function buildGroup(
  document: RawDocumentOf<"IdentityGroup">,
  scope: Scope,
  context: SelectorContext,
): IdentityGroup {
  const { spec } = document;
  if (scope !== "" && spec.fallback !== undefined) {
    const message = "only the root namespace may set a `fallback`";
    context.reporter.report(document, ["spec", "fallback"], "root-only", message);
  }
  const members = buildSelectors(document, ["spec", "members"], spec.members, scope, { ...context, registry: null });
  return {
    scope,
    name: document.name,
    at: positionOf(document),
    members: members.filter((each): each is IdentitySelector => each.kind !== "group"),
    fallback: spec.fallback ?? null,
  };
}

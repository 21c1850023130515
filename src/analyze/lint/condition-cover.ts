import type { PathPattern, RuleTarget } from "../../policy/model.ts";
import { pathCovers } from "./path-cover.ts";

/** The conditions of a target on how it is asked for. */
export type Conditions = Pick<RuleTarget, "methods" | "paths" | "headers">;

/**
 * Does every request that fulfils `inner` also fulfil `outer`? Where `inner` is in doubt, `outer` then is at least that: it
 * only has conditions that `inner` has too.
 */
export function conditionsCover(outer: Conditions, inner: Conditions): boolean {
  return listCovers(outer.methods, inner.methods) && pathsCover(outer.paths, inner.paths) && headersCover(outer, inner);
}

/** Does a list hold all of another? No list holds everything. */
export function listCovers<T>(outer: readonly T[] | null, inner: readonly T[] | null): boolean {
  return outer === null || (inner?.every((each) => outer.includes(each)) ?? false);
}

function pathsCover(outer: readonly PathPattern[] | null, inner: readonly PathPattern[] | null): boolean {
  if (outer === null) return true;
  return inner?.every((each) => outer.some((wide) => pathCovers(wide, each))) ?? false;
}

function headersCover(outer: Conditions, inner: Conditions): boolean {
  return outer.headers.every(({ name, values }) => {
    const same = inner.headers.find((each) => each.name === name);
    return same !== undefined && listCovers(values, same.values);
  });
}

import type { Decision } from "../pdp/decision.ts";

/**
 * How requests fare under other policies: allowed where they were denied, the other way round, or so only once report mode
 * is enforced.
 */
export type Change = "widening" | "narrowing" | "shadow-widening" | "shadow-narrowing";

type Outcome = Pick<Decision, "effect" | "shadow">;

/** What changes between two outcomes; the shadow counts where the effect stays. Null = neither changes. */
export function changeOf(was: Outcome, now: Outcome): Change | null {
  if (was.effect !== now.effect) return now.effect === "allow" ? "widening" : "narrowing";
  if (was.shadow !== now.shadow) return now.shadow === "allow" ? "shadow-widening" : "shadow-narrowing";
  return null;
}

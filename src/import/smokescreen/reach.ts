import { patternCovers } from "../../policy/host-pattern.ts";
import type { HostPattern } from "../../policy/model.ts";

/** What Smokescreen's ACL says for one role. Globs are canonical, and may be ones that no policy can hold. */
export interface RoleRule {
  readonly action: "open" | "report" | "enforce";
  readonly allowed: readonly HostPattern[];
  /** Hosts to which requests may only go with headers that Smokescreen adds. */
  readonly headered: readonly HostPattern[];
  readonly globalAllow: readonly HostPattern[];
  readonly globalDeny: readonly HostPattern[];
}

/** The same in words of ours, where a deny always beats an allow. Never more than Smokescreen lets pass. */
export interface Reach {
  readonly allow: readonly HostPattern[];
  readonly deny: readonly HostPattern[];
  readonly fallback: "report" | "allow" | null;
  /** What is left out because a deny within it cannot be had, or would also stop the role's own hosts. */
  readonly leftOut: readonly HostPattern[];
  /** Why the action `open` or `report` is not carried over: a global deny that would also stop the role's own hosts. */
  readonly closedFor: HostPattern | null;
}

/**
 * Turns Smokescreen's order (the role's own hosts, the global deny list, the global allow list, the action) into rules
 * whose order does not matter.
 * @param canDeny Can a policy hold this pattern, or is it never reached anyway?
 */
export function reachOf(rule: RoleRule, canDeny: (pattern: HostPattern) => boolean): Reach {
  const { allowed, headered, globalAllow, globalDeny } = rule;
  /** Can what needs headers be taken out of this? */
  const canCut = (pattern: HostPattern): boolean =>
    headered.every((each) => !patternCovers(pattern, each) || canDeny(each));
  const own = allowed.filter((each) => !headered.some((headers) => patternCovers(headers, each)) && canCut(each));
  const isOwn = (pattern: HostPattern): boolean => own.some((each) => patternCovers(each, pattern));
  /** Can the role be denied this, and lose none of its own hosts? */
  const deniable = (pattern: HostPattern): boolean =>
    canDeny(pattern) && !own.some((each) => patternCovers(pattern, each));
  const headersDeniable = headered.every(canDeny);
  const denies = globalDeny.filter((each) => !isOwn(each));

  const shared = globalAllow.filter((each) => !globalDeny.some((deny) => patternCovers(deny, each)));
  const within = (outer: HostPattern): readonly HostPattern[] => denies.filter((each) => patternCovers(outer, each));
  const kept = shared.filter((each) => within(each).every(deniable) && canCut(each));
  const blocker = denies.find((each) => !deniable(each)) ?? (headersDeniable ? null : (headered[0] ?? null));
  const open = rule.action !== "enforce" && blocker === null;
  const deny = [...headered, ...(open ? denies : kept.flatMap(within))].filter(canDeny);
  return {
    allow: [...new Set([...own, ...kept.filter((each) => !headered.some((h) => patternCovers(h, each)))])],
    deny: [...new Set(deny)].filter((each) => open || [...own, ...kept].some((allow) => patternCovers(allow, each))),
    fallback: !open ? null : rule.action === "report" ? "report" : "allow",
    leftOut: [
      ...shared.filter((each) => !kept.includes(each) && !isOwn(each)),
      ...allowed.filter((each) => !canCut(each)),
    ],
    closedFor: rule.action === "enforce" ? null : blocker,
  };
}

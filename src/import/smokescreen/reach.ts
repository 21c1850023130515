import { coveringPatterns, patternCovers } from "../../policy/host-pattern.ts";
import type { HostPattern } from "../../policy/model.ts";
import { createPatternSet, type PatternSet } from "../pattern-set.ts";

/** The lists of an ACL that are for every role. Globs are canonical; those that are denied may be ones that no policy can hold. */
export interface GlobalLists {
  /** What the global allow list allows, without what the global deny list covers. */
  readonly shared: readonly HostPattern[];
  readonly deny: PatternSet;
  /** Denied patterns that a policy cannot hold. */
  readonly undeniable: readonly HostPattern[];
  /** May a host that the pattern matches be registered? Others are reached by nobody. */
  canBeReached(pattern: HostPattern): boolean;
  /** Can a policy hold this pattern? */
  canDeny(pattern: HostPattern): boolean;
}

/** What the ACL says for one role. */
export interface RoleRule {
  readonly action: "open" | "report" | "enforce";
  readonly allowed: readonly HostPattern[];
  /** Hosts to which requests may only go with headers that Smokescreen adds. */
  readonly headered: readonly HostPattern[];
}

/** The same in words of ours, where a deny always beats an allow. Never more than Smokescreen lets pass. */
export interface Reach {
  /** What the role alone may reach. */
  readonly own: readonly HostPattern[];
  /** What it is denied, since headers would be added. */
  readonly headered: readonly HostPattern[];
  /** Of what all roles share, what it may not reach. */
  readonly without: readonly HostPattern[];
  /** Of what is denied to all, what its own hosts cover. */
  readonly spared: readonly HostPattern[];
  readonly fallback: "report" | "allow" | null;
  /** What is left out because a deny within it cannot be had, or would also stop the role's own hosts. */
  readonly leftOut: readonly HostPattern[];
  /** Why the action `open` or `report` is not carried over: a global deny that cannot be had, or would also stop its own hosts. */
  readonly closedFor: HostPattern | null;
}

/**
 * Turns Smokescreen's order (the role's own hosts, the global deny list, the global allow list, the action) into rules
 * whose order does not matter.
 */
export function reachOf({ action, allowed, headered: all }: RoleRule, lists: GlobalLists): Reach {
  const headered = all.filter(lists.canBeReached);
  const uncuttable = headered.filter((each) => !lists.canDeny(each));
  /** Can what needs headers be taken out of this? */
  const canCut = (pattern: HostPattern): boolean => !uncuttable.some((each) => patternCovers(pattern, each));
  const isHeadered = (pattern: HostPattern): boolean => headered.some((each) => patternCovers(each, pattern));
  const own = allowed.filter((each) => !isHeadered(each) && canCut(each));
  const spared = new Set(own.flatMap((each) => lists.deny.below(each)));
  // Denies that hold some of the role's own hosts cannot be had without stopping those.
  const above = own.flatMap((each) => [...coveringPatterns(each)]).filter((each) => lists.deny.has(each));
  const blockers = new Set([...above, ...lists.undeniable].filter((each) => !spared.has(each)));
  const left = lists.shared.filter((each) => !isHeadered(each));
  const lost = left.filter((each) => !canCut(each) || lists.deny.below(each).some((deny) => blockers.has(deny)));
  const [blocker = uncuttable[0]] = blockers;
  const open = action !== "enforce" && blocker === undefined;
  const ownSet = createPatternSet(own);
  return {
    own,
    headered: headered.filter(lists.canDeny),
    without: [...lists.shared.filter(isHeadered), ...lost],
    spared: [...spared].sort(),
    fallback: !open ? null : action === "report" ? "report" : "allow",
    leftOut: [...lost.filter((each) => !ownSet.covers(each)), ...allowed.filter((each) => !canCut(each))],
    closedFor: action === "enforce" ? null : (blocker ?? null),
  };
}

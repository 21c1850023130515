import type { PolicySet } from "../../policy/model.ts";

/** The same set with every policy enforced and nothing let pass without a rule: what a request comes to in the end. */
export function closedSet(set: PolicySet): PolicySet {
  return {
    ...set,
    gateway: { ...set.gateway, securityModel: "Gateway", fallback: "deny" },
    groups: set.groups.map((group) => ({ ...group, fallback: null })),
    policies: set.policies.map((policy) => ({ ...policy, mode: "enforce" })),
  };
}

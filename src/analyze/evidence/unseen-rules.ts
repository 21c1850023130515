import { type Effect, type PolicySet, ruleId } from "../../policy/model.ts";

/**
 * Ids of the rules of an effect that ask about what a trail does not hold: headers, an upgrade, or what an
 * expression reads. A request asked again
 * cannot show them to match: what the trail says of them stands.
 */
export function unseenRules(set: PolicySet, effect: Effect): ReadonlySet<string> {
  return new Set(
    set.policies.flatMap((policy) =>
      policy.rules
        .filter((rule) => rule.effect === effect)
        .filter(
          ({ to, upgrades, when }) =>
            upgrades.length > 0 || when !== null || (to ?? []).some(({ headers }) => headers.length > 0),
        )
        .map((rule) => ruleId(policy, rule)),
    ),
  );
}

import { aimsAt } from "./build-target.ts";
import type { EgressPolicy, ExternalService, IdentitySelector, PolicySet, Rule } from "./model.ts";

/** An allow that can let somebody reach a service. */
export interface Opening {
  readonly policy: EgressPolicy;
  readonly rule: Rule;
}

/** The enforced allows that aim at a service, by name or by one of its hosts. Windows of time are not looked at. */
export function openingsOf(set: PolicySet, service: ExternalService): readonly Opening[] {
  return set.policies
    .filter(
      ({ mode, scope }) => mode === "enforce" && (service.scope === "" || scope === "" || scope === service.scope),
    )
    .flatMap((policy) => policy.rules.map((rule) => ({ policy, rule })))
    .filter(({ rule }) => rule.effect === "allow" && (rule.to ?? []).some((target) => aimsAt(target, service)));
}

/**
 * Namespaces whose workloads some allow lets reach a service, or under Gateway a fallback that is not deny; `null` when that
 * can be any namespace. Sorted.
 */
export function namespacesOf(set: PolicySet, service: ExternalService): readonly string[] | null {
  const found = new Set<string>();
  const { securityModel, fallback } = set.gateway;
  // Without a gateway in the way nobody lets pass what no rule allows.
  const asked = securityModel === "Gateway";
  let anyone = asked && fallback !== "deny";
  for (const { policy, rule } of openingsOf(set, service)) {
    for (const member of (rule.from ?? []).flatMap((subject) => membersOf(set, subject))) {
      const namespace = namespaceOf(member, set);
      // A tenant's rule speaks for its own workloads only, whoever its group names.
      if (policy.scope !== "") found.add(policy.scope);
      else if (namespace === null) anyone = true;
      else found.add(namespace);
    }
  }
  for (const group of asked ? set.groups : []) {
    if (group.fallback === null || group.fallback === "deny") continue;
    for (const member of group.members) {
      const namespace = namespaceOf(member, set);
      if (namespace === null) anyone = true;
      else found.add(namespace);
    }
  }
  // A tenant's service is its own, whoever the top lets reach it.
  if (service.scope !== "") return anyone || found.has(service.scope) ? [service.scope] : [];
  return anyone ? null : [...found].sort();
}

function membersOf(set: PolicySet, subject: NonNullable<Rule["from"]>[number]): readonly IdentitySelector[] {
  if (subject.kind !== "group") return [subject];
  return set.groups.find(({ scope, name }) => scope === subject.scope && name === subject.name)?.members ?? [];
}

/** The one namespace that a selector stays within, or null. */
function namespaceOf(member: IdentitySelector, set: PolicySet): string | null {
  if (member.kind === "namespace") return member.namespace;
  if (member.kind === "trustDomain" || member.trustDomain !== set.gateway.trustDomains[0]) return null;
  return /^\/ns\/([^/]+)(\/|$)/.exec(member.path)?.[1] ?? null;
}

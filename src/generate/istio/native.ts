import { aimsAt } from "../../policy/build-target.ts";
import type { EgressPolicy, IdentitySelector, PolicySet, Rule } from "../../policy/model.ts";
import type { GenerateNote } from "../draft.ts";
import { isRequest, type Leg } from "./leg.ts";
import { type IstioObject, istioObject } from "./objects.ts";

/** Istio's own policies in place of the authorizer, and what they cannot say. */
export interface NativeAuthorization {
  readonly objects: readonly IstioObject[];
  readonly notes: readonly GenerateNote[];
}

interface Placed {
  readonly policy: EgressPolicy;
  readonly rule: Rule;
}

/**
 * Allows by identity, host and port. One allow is always there, even if it matches nobody: without any, Istio lets
 * everything pass. What asks for more is an error, and so nothing is written.
 */
export function nativeAuthorization(set: PolicySet, legs: readonly Leg[]): NativeAuthorization {
  const rules = set.policies
    .filter(({ mode }) => mode === "enforce")
    .flatMap((policy) => policy.rules.map((rule) => ({ policy, rule })));
  const notes = [...fallbackNotes(set), ...rules.flatMap(reasonAgainst)];
  if (notes.length > 0) return { objects: [], notes };
  const { name, namespace, selector } = set.gateway;
  const policy = (effect: "allow" | "deny"): IstioObject => {
    const own = rules.filter(({ rule }) => rule.effect === effect).flatMap((each) => istioRules(set, legs, each));
    const spec = { selector: { matchLabels: selector }, action: effect.toUpperCase(), rules: own };
    return istioObject("AuthorizationPolicy", `${name}-${effect}`, namespace, spec);
  };
  const deny = policy("deny");
  const denies = (deny.spec as { readonly rules: readonly object[] }).rules.length > 0;
  return { objects: [policy("allow"), ...(denies ? [deny] : [])], notes };
}

function fallbackNotes({ gateway, groups }: PolicySet): readonly GenerateNote[] {
  const lenient = [gateway, ...groups].filter(({ fallback }) => fallback !== null && fallback !== "deny");
  return lenient.map(({ at, name, fallback }) => needsAuthorizer(at, `\`${name}\` has \`fallback: ${fallback}\``));
}

function reasonAgainst({ policy, rule }: Placed): readonly GenerateNote[] {
  const reasons = [
    ...(rule.expires === null && rule.notBefore === null ? [] : ["ends or begins at an instant"]),
    ...(rule.upgrades.length === 0 ? [] : ["names upgrades"]),
    ...(rule.when === null ? [] : ["has a condition in `when`"]),
    ...((rule.to ?? []).some(({ methods, paths, headers }) => methods !== null || paths !== null || headers.length > 0)
      ? ["looks at methods, paths or headers"]
      : []),
  ];
  return reasons.map((reason) => needsAuthorizer(rule.at, `rule \`${policy.name}/${rule.name}\` ${reason}`));
}

function needsAuthorizer(at: GenerateNote["at"], what: string): GenerateNote {
  return {
    code: "native-needs-authorizer",
    severity: "error",
    at,
    message: `${what}, which Istio's own policies do not decide`,
    fix: "generate without `--native`, with an authorizer",
  };
}

function istioRules(set: PolicySet, legs: readonly Leg[], placed: Placed): readonly object[] {
  const from = sources(set, placed);
  if (from !== null && from.length === 0) return [];
  const who = from === null ? {} : { from: [{ source: { principals: from } }] };
  const { to } = placed.rule;
  if (to === null) return [who];
  return legs
    .filter((leg) => to.some((target) => reaches(target, leg)))
    .map((leg) => {
      const ports = [`${leg.listener.port}`];
      if (!isRequest(leg))
        return { ...who, to: [{ operation: { ports } }], when: [{ key: "connection.sni", values: [leg.sni] }] };
      return { ...who, to: [{ operation: { ports, hosts: [leg.meshHost, `${leg.meshHost}:*`] } }] };
    });
}

function reaches(target: NonNullable<Rule["to"]>[number], { service, host, listener }: Leg): boolean {
  if (!aimsAt(target, service)) return false;
  if (target.ports !== null && !target.ports.includes(listener.dialled)) return false;
  return (
    target.hosts === null ||
    target.hosts.some((pattern) => pattern === host || (pattern.startsWith("*.") && host.endsWith(pattern.slice(1))))
  );
}

/** Principals as Istio writes them; null for everybody. A namespace's policy speaks for its own workloads only. */
function sources(set: PolicySet, { policy, rule }: Placed): readonly string[] | null {
  if (rule.from === null) return null;
  const members = rule.from.flatMap((subject): readonly IdentitySelector[] => {
    if (subject.kind !== "group") return [subject];
    return set.groups.find(({ scope, name }) => scope === subject.scope && name === subject.name)?.members ?? [];
  });
  const own = set.gateway.trustDomains;
  const all = members.flatMap((member) => principalsOf(member, own));
  const within = own.map((domain) => `${domain}/ns/${policy.scope}/`);
  return [
    ...new Set(policy.scope === "" ? all : all.filter((each) => within.some((prefix) => each.startsWith(prefix)))),
  ].sort();
}

function principalsOf(member: IdentitySelector, own: readonly string[]): readonly string[] {
  switch (member.kind) {
    case "namespace":
      return own.map((domain) => `${domain}/ns/${member.namespace}/sa/*`);
    case "trustDomain":
      return domainsOf(member.trustDomain, own).map((domain) => `${domain}/*`);
    case "id":
      return domainsOf(member.trustDomain, own).map((domain) => `${domain}${member.path}`);
    case "prefix":
      return domainsOf(member.trustDomain, own).map((domain) => `${domain}${member.path}/*`);
  }
}

/** Aliases mean the same workloads. */
function domainsOf(domain: string, own: readonly string[]): readonly string[] {
  return domain === own[0] ? own : [domain];
}

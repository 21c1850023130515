import type { EgressPolicy, ExternalService, PolicySet, Rule, ServiceRef } from "../policy/model.ts";

/** A name for objects of a service: a DNS subdomain, unique among services, since neither part holds a dot. */
export function objectName({ scope, name }: ServiceRef): string {
  return scope === "" ? name : `${name}.${scope}`;
}

/** `name`, or `namespace/name`: how people name a service. */
export function serviceTitle({ scope, name }: ServiceRef): string {
  return scope === "" ? name : `${scope}/${name}`;
}

/** The service a reference names. @throws never for sets that were loaded: loading refuses dangling references */
export function serviceOf(set: PolicySet, { scope, name }: ServiceRef): ExternalService {
  const found = set.services.find((each) => each.scope === scope && each.name === name);
  if (found === undefined) throw new RangeError(`no service ${serviceTitle({ scope, name })}`);
  return found;
}

export function isWildcard(host: string): boolean {
  return host.startsWith("*.");
}

/** The host, or what stands after the `*.` of a wildcard. */
export function hostSuffix(host: string): string {
  return isWildcard(host) ? host.slice(2) : host;
}

/** Ports that carry HTTP as the application dials them. */
export function isHttp(protocol: string): boolean {
  return protocol === "HTTP" || protocol === "GRPC";
}

/** Ports on which the application itself speaks TLS. */
export function isTls(protocol: string): boolean {
  return protocol === "HTTPS" || protocol === "TLS";
}

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
    .filter(({ rule }) => rule.effect === "allow" && (rule.to ?? []).some((target) => aims(target, service)));
}

function aims(target: NonNullable<Rule["to"]>[number], service: ExternalService): boolean {
  if (target.service !== null) return target.service.scope === service.scope && target.service.name === service.name;
  return (target.hosts ?? []).some((host) => service.hosts.some((own) => own === host || covers(own, host)));
}

function covers(wide: string, narrow: string): boolean {
  return isWildcard(wide) && hostSuffix(narrow).endsWith(`.${hostSuffix(wide)}`);
}

/** Namespaces whose workloads some allow lets reach a service; `null` when that can be any namespace. Sorted. */
export function namespacesOf(set: PolicySet, service: ExternalService): readonly string[] | null {
  const found = new Set<string>();
  for (const { policy, rule } of openingsOf(set, service)) {
    for (const subject of rule.from ?? []) {
      const members =
        subject.kind === "group"
          ? (set.groups.find((each) => each.scope === subject.scope && each.name === subject.name)?.members ?? [])
          : [subject];
      for (const member of members) {
        const namespace = namespaceOf(member, set);
        // A tenant's rule speaks for its own workloads only, whoever its group names.
        if (policy.scope !== "") found.add(policy.scope);
        else if (namespace === null) return null;
        else found.add(namespace);
      }
    }
  }
  if (service.scope !== "") return found.has(service.scope) ? [service.scope] : [];
  return [...found].sort();
}

function namespaceOf(
  member: Exclude<NonNullable<Rule["from"]>[number], { kind: "group" }>,
  set: PolicySet,
): string | null {
  if (member.kind === "namespace") return member.namespace;
  if (member.kind === "trustDomain" || member.trustDomain !== set.gateway.trustDomains[0]) return null;
  return /^\/ns\/([^/]+)\//.exec(`${member.path}/`)?.[1] ?? null;
}

import type {
  ExternalService,
  HostPattern,
  PolicySet,
  PortProtocol,
  Rule,
  RuleTarget,
  Scope,
} from "../../policy/model.ts";
import { readsRequest } from "../../policy/model.ts";
import type { Owners, PatternOwner } from "./owners.ts";

/** One thing that a rule aims at: a service, a host pattern, or everything. */
export interface Aim {
  /** Null = every target. */
  readonly to: RuleTarget | null;
  readonly service: ExternalService | null;
  readonly pattern: HostPattern | null;
  /** The ports on which a request can match at all; null = any. Empty = it never matches. */
  readonly ports: readonly number[] | null;
  /** For an allow by a host pattern: who can own what it matches. */
  readonly owners: readonly PatternOwner[];
}

/** Splits rules into what they aim at. */
export type AimsOf = (rule: Rule, scope: Scope) => readonly Aim[];

export function createAimsOf(set: PolicySet, owners: Owners): AimsOf {
  const services = new Map(set.services.map((service) => [`${service.scope}/${service.name}`, service]));
  const open = set.gateway.securityModel === "AllowAny";
  return (rule, scope) => {
    if (rule.to === null) return [{ to: null, service: null, pattern: null, ports: null, owners: [] }];
    return rule.to.flatMap((to): Aim[] => {
      if (to.service !== null) {
        const service = services.get(`${to.service.scope}/${to.service.name}`) ?? null;
        const ports = service?.ports.filter((port) => asks(to, port.number) && sees(rule, to, port.protocol)) ?? [];
        return [{ to, service, pattern: null, ports: ports.map(({ number }) => number), owners: [] }];
      }
      const aim = rule.effect === "deny" ? denyAim : allowAim;
      return (to.hosts ?? []).map((pattern) => aim(to, pattern));
    });

    function allowAim(to: RuleTarget, pattern: HostPattern): Aim {
      const all = owners.of(pattern, scope);
      const found = all.filter(({ port }) => asks(to, port.number) && sees(rule, to, port.protocol));
      return { to, service: null, pattern, ports: found.map(({ port }) => port.number), owners: found };
    }

    /** A deny matches by text; what nobody registers is refused before it, unless the mesh lets everything pass. */
    function denyAim(to: RuleTarget, pattern: HostPattern): Aim {
      const reachable = owners
        .touching(pattern)
        .filter((service) => scope === "" || service.scope === "" || service.scope === scope)
        .some((service) => service.ports.some(({ number }) => asks(to, number)));
      return { to, service: null, pattern, ports: reachable || open ? to.ports : [], owners: [] };
    }
  };
}

function asks({ ports }: RuleTarget, port: number): boolean {
  return ports?.includes(port) ?? true;
}

/** Where method, path and headers cannot be seen, an allow that asks for them never matches. */
function sees({ effect, when }: Rule, { methods, paths, headers }: RuleTarget, protocol: PortProtocol): boolean {
  if (effect === "deny" || protocol === "HTTP" || protocol === "GRPC") return true;
  if (when !== null && readsRequest(when.reads)) return false;
  return methods === null && paths === null && headers.length === 0;
}

import { coveringPatterns } from "../../policy/host-pattern.ts";
import type { ExternalService, HostPattern, PolicySet, Scope, ServicePort } from "../../policy/model.ts";

/** Who owns the hosts of a pattern on a port, where they are not owned by a narrower pattern. */
export interface PatternOwner {
  readonly service: ExternalService;
  readonly pattern: HostPattern;
  readonly port: ServicePort;
}

/** Look-ups over what a set registers. @see docs/semantics.md §3 "Ownership" */
export interface Owners {
  /**
   * The owner of a pattern on each port, among the services that policies of `scope` see: the most specific registered pattern
   * over it that lists the port. Ports without an owner are left out.
   */
  of(pattern: HostPattern, scope: Scope): readonly PatternOwner[];
  /** The services with a pattern that has a host in common with this one, whoever sees them. */
  touching(pattern: HostPattern): readonly ExternalService[];
}

export function createOwners({ services }: PolicySet): Owners {
  const byPattern = new Map<HostPattern, ExternalService[]>();
  const below = new Map<HostPattern, ExternalService[]>();
  const push = (map: Map<HostPattern, ExternalService[]>, key: HostPattern, service: ExternalService): void => {
    const list = map.get(key);
    if (list === undefined) map.set(key, [service]);
    else if (list.at(-1) !== service) list.push(service);
  };
  for (const service of services) {
    for (const pattern of service.hosts) {
      push(byPattern, pattern, service);
      for (const outer of coveringPatterns(pattern)) push(below, outer, service);
    }
  }
  return {
    of(pattern, scope) {
      const found = new Map<number, PatternOwner>();
      for (const outer of coveringPatterns(pattern)) {
        for (const service of byPattern.get(outer) ?? []) {
          if (service.scope !== "" && service.scope !== scope) continue;
          for (const port of service.ports) {
            if (!found.has(port.number)) found.set(port.number, { service, pattern: outer, port });
          }
        }
      }
      return [...found.values()];
    },
    touching: (pattern) => [
      ...new Set([
        ...[...coveringPatterns(pattern)].flatMap((outer) => byPattern.get(outer) ?? []),
        ...(below.get(pattern) ?? []),
      ]),
    ],
  };
}

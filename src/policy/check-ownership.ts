import type { UnresolvedService } from "./build-service.ts";
import { LIMITS } from "./limits.ts";
import type { Scope } from "./model.ts";
import type { Reporter } from "./reporter.ts";

/**
 * One owner per (pattern, port) in the set: who comes later by rank (root first, then by namespace and name) is refused.
 * Last good documents rank after all that are current: keeping them must take nothing from anybody.
 */
export function checkOwnership(
  services: readonly UnresolvedService[],
  outdated: ReadonlySet<Scope>,
  reporter: Reporter,
): void {
  const owners = new Map<string, UnresolvedService>();
  const ports = new Map<string, number>();
  const crowded = new Set<UnresolvedService>();
  const isOutdated = ({ service }: UnresolvedService): boolean => outdated.has(service.scope);
  for (const candidate of [...services.filter((each) => !isOutdated(each)), ...services.filter(isOutdated)]) {
    const { service, document } = candidate;
    for (const pattern of service.hosts) {
      for (const { number } of service.ports) {
        const key = `${pattern}:${number}`;
        const owner = owners.get(key);
        if (owner === undefined) {
          owners.set(key, candidate);
          const count = (ports.get(pattern) ?? 0) + 1;
          ports.set(pattern, count);
          if (count > LIMITS.portsPerHost && !crowded.has(candidate)) {
            crowded.add(candidate);
            const message = `\`${pattern}\` has more than ${LIMITS.portsPerHost} ports, of all services that register it`;
            reporter.report(
              document,
              ["spec", "hosts", document.spec.hosts.indexOf(pattern)],
              "limit-exceeded",
              message,
            );
          }
          continue;
        }
        if (owner === candidate) continue;
        const index = document.spec.hosts.indexOf(pattern);
        const whose = owner.service.scope === "" ? "" : ` of namespace \`${owner.service.scope}\``;
        const message = `\`${pattern}\` on port ${number} already belongs to service \`${owner.service.name}\`${whose}`;
        reporter.report(document, ["spec", "hosts", index], "host-claimed-twice", message);
      }
    }
  }
}

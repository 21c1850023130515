import { coveringPatterns, patternCovers } from "../../policy/host-pattern.ts";
import type { HostPattern, PolicySet, PortProtocol, Scope } from "../../policy/model.ts";
import type { LearntTarget } from "./learnt-rule.ts";
import type { LeftOutWhy } from "./left-out.ts";

/** What one workload may do, with the namespace that may say so; `""` where only the root may. */
export interface LearntWorkload {
  readonly spiffeId: string;
  readonly scope: Scope;
  /** As a policy writes it: `namespace/serviceaccount` or the SPIFFE ID. */
  readonly from: string;
  readonly targets: readonly LearntTarget[];
}

/** A host that nobody registers yet. */
export interface MissingService {
  /** The one namespace that needs it; `""` when several do, or the root. */
  readonly scope: Scope;
  readonly pattern: HostPattern;
  /** By number. */
  readonly ports: readonly { readonly number: number; readonly protocol: PortProtocol }[];
}

/** A target that cannot be had, and why. */
export interface Refusal {
  readonly workload: LearntWorkload;
  readonly target: LearntTarget;
  readonly why: LeftOutWhy;
}

const PROTOCOLS = { http: "HTTP", tls: "TLS", tcp: "TCP" } as const;

interface Need {
  readonly workload: LearntWorkload;
  readonly target: LearntTarget;
}

/**
 * The services that these workloads need beside those of the set, and the targets that cannot be had: their host and port belong
 * to somebody, would be taken from somebody, or were used with two protocols. A host goes into the learnt wildcard over it.
 */
export function missingServices(
  set: PolicySet,
  workloads: readonly LearntWorkload[],
): { readonly services: readonly MissingService[]; readonly refusals: readonly Refusal[] } {
  const needs = workloads.flatMap((workload) =>
    workload.targets.filter(({ edge }) => !edge.registered).map((target): Need => ({ workload, target })),
  );
  const wildcards = new Set(needs.map(({ target }) => target.edge.host).filter((host) => host.startsWith("*.")));
  const byPattern = new Map<HostPattern, Need[]>();
  for (const need of needs) {
    const { host } = need.target.edge;
    const pattern = [...coveringPatterns(host)].find((each) => wildcards.has(each)) ?? host;
    const list = byPattern.get(pattern);
    if (list === undefined) byPattern.set(pattern, [need]);
    else list.push(need);
  }
  const services: MissingService[] = [];
  const refusals: Refusal[] = [];
  for (const [pattern, list] of [...byPattern].sort(([a], [b]) => (a < b ? -1 : 1))) {
    const { kept, refused } = sift(set, pattern, list);
    refusals.push(...refused);
    if (kept.length === 0) continue;
    const ports = new Map(kept.map(({ target: { edge } }) => [edge.port, PROTOCOLS[edge.kind]] as const));
    services.push({
      scope: scopeOf(kept),
      pattern,
      ports: [...ports].sort(([a], [b]) => a - b).map(([number, protocol]) => ({ number, protocol })),
    });
  }
  return { services, refusals };
}

function scopeOf(needs: readonly Need[]): Scope {
  const scopes = new Set(needs.map(({ workload }) => workload.scope));
  const [only = ""] = scopes;
  return scopes.size === 1 ? only : "";
}

function sift(set: PolicySet, pattern: HostPattern, needs: readonly Need[]): { kept: Need[]; refused: Refusal[] } {
  const scope = scopeOf(needs);
  const kept: Need[] = [];
  const refused: Refusal[] = [];
  for (const need of needs) {
    const { port, kind } = need.target.edge;
    const twice = needs.some(({ target: { edge } }) => edge.port === port && edge.kind !== kind);
    if (twice) refused.push({ ...need, why: "two-protocols" });
    else if (isTaken(set, pattern, port, scope)) refused.push({ ...need, why: "registered-otherwise" });
    else kept.push(need);
  }
  return { kept, refused };
}

/** Whether registering a pattern there would claim twice what somebody has, or take hosts from whoever has them. */
function isTaken(set: PolicySet, pattern: HostPattern, port: number, scope: Scope): boolean {
  return set.services.some((service) => {
    if (!service.ports.some(({ number }) => number === port)) return false;
    if (service.hosts.includes(pattern)) return true;
    const meets = scope === "" || service.scope === "" || service.scope === scope;
    return meets && service.hosts.some((outer) => patternCovers(outer, pattern));
  });
}

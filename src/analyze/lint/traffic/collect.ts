import { locateItems } from "../../../bundle/locate-items.ts";
import type { CheckKind } from "../../../pdp/decision.ts";
import type { Engine } from "../../../pdp/engine.ts";
import { coveringPatterns } from "../../../policy/host-pattern.ts";
import type { HostPattern, IdentityGroup, PolicySet } from "../../../policy/model.ts";
import { ruleId } from "../../../policy/model.ts";
import { probe } from "../../probe.ts";
import { scopedName } from "../../scoped-name.ts";

/** What the lint looks at in a recorded decision that reached the rules. */
export interface TrafficRecord {
  readonly principal: string;
  readonly namespace: string | null;
  readonly kind: CheckKind;
  readonly host: string;
  readonly port: number;
  readonly rules: readonly string[];
  readonly shadowRules: readonly string[];
}

/** What of a policy set traffic has used. */
export interface Traffic {
  readonly rules: ReadonlySet<string>;
  readonly services: ReadonlySet<string>;
  readonly groups: ReadonlySet<string>;
  /** By rule or service id and its wildcard: hosts that went through it, at most one more than `MOST_HOSTS`. */
  readonly hosts: ReadonlyMap<string, ReadonlySet<string>>;
}

/** So few hosts under a wildcard could be listed instead. */
export const MOST_HOSTS = 3;

/** Answers that are remembered; a wildcard can have any number of hosts. */
const REMEMBERED = 100_000;

/** The key of a wildcard in `Traffic.hosts`. */
export function wildcardKey(id: string, pattern: HostPattern): string {
  return `${id} ${pattern}`;
}

/** Takes records one by one, and holds what was used, not the records. */
export interface TrafficCollector {
  add(record: TrafficRecord): void;
  readonly traffic: Traffic;
}

/** @param engine with the bundle compiled from `set`; it says who owns a host and which groups hold a workload */
export function createTrafficCollector(set: PolicySet, engine: Engine, bundle: Uint8Array): TrafficCollector {
  const used = { rules: new Set<string>(), services: new Set<string>(), groups: new Set<string>() };
  const hosts = new Map<string, Set<string>>();
  const patterns = patternsOf(set);
  const { groupSubject } = locateItems(set, bundle);
  const subjects = set.groups.map((group: IdentityGroup) => [scopedName(group), groupSubject(group)] as const);
  const seen = new Set<string>();
  const owners = new Map<string, string | null>();

  function saw(id: string, host: string): void {
    const own = patterns.get(id);
    // The most specific pattern is the one that the host went through.
    const through = own === undefined ? undefined : [...coveringPatterns(host)].find((each) => own.has(each));
    if (through === undefined || !through.startsWith("*.")) return;
    const key = wildcardKey(id, through);
    const list = hosts.get(key);
    if (list === undefined) hosts.set(key, new Set([host]));
    else if (list.size <= MOST_HOSTS) list.add(host);
  }

  function ownerOf({ namespace, kind, principal, host, port }: TrafficRecord): string | null {
    const key = `${namespace ?? ""} ${kind} ${host}:${port}`;
    const known = owners.get(key);
    if (known !== undefined) return known;
    // The instant does not matter: time changes no owner.
    const { service } = engine.decide(probe(kind, principal, host, port), 0);
    if (owners.size === REMEMBERED) owners.clear();
    owners.set(key, service);
    return service;
  }

  function sawWorkload({ principal, kind, host, port }: TrafficRecord): void {
    if (seen.has(principal)) return;
    if (seen.size === REMEMBERED) seen.clear();
    seen.add(principal);
    const verdicts = engine.explain(probe(kind, principal, host, port), 0);
    if (verdicts.stage === "refused") return;
    for (const [id, subject] of subjects) if (verdicts.holds(subject)) used.groups.add(id);
  }

  return {
    add(record) {
      for (const id of new Set([...record.rules, ...record.shadowRules])) {
        used.rules.add(id);
        saw(id, record.host);
      }
      const service = ownerOf(record);
      if (service !== null) {
        used.services.add(service);
        saw(serviceKey(service), record.host);
      }
      sawWorkload(record);
    },
    traffic: { ...used, hosts },
  };
}

/** Services and rules can have the same id. */
export function serviceKey(service: string): string {
  return `service ${service}`;
}

/** The host patterns of each rule and each service that has a wildcard. */
function patternsOf(set: PolicySet): ReadonlyMap<string, ReadonlySet<HostPattern>> {
  const rules = set.policies.flatMap((policy) =>
    policy.rules.map((rule) => [ruleId(policy, rule), (rule.to ?? []).flatMap(({ hosts }) => hosts ?? [])] as const),
  );
  const services = set.services.map((each) => [serviceKey(scopedName(each)), each.hosts] as const);
  const wild = [...rules, ...services].filter(([, hosts]) => hosts.some((host) => host.startsWith("*.")));
  return new Map(wild.map(([id, hosts]) => [id, new Set(hosts)]));
}

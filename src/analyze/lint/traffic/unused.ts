import type { HostPattern, PolicySet, SourcePosition } from "../../../policy/model.ts";
import { scopedName } from "../../scoped-name.ts";
import type { Finding } from "../finding.ts";
import type { KnownRule } from "../known-rule.ts";
import { MOST_HOSTS, serviceKey, type Traffic, wildcardKey } from "./collect.ts";

/** The traffic of the last days. */
export interface ObservedTraffic {
  readonly traffic: Traffic;
  readonly days: number;
  /** Milliseconds since the epoch: the begin of these days. */
  readonly sinceMs: number;
}

/**
 * Allows, services and groups that nothing recorded has used, and wildcards that few hosts went through. A rule that began
 * within these days is too young to tell; one that has expired is told of as such. Denies may wait for years.
 */
export function unusedInTraffic(
  set: PolicySet,
  rules: readonly KnownRule[],
  observed: ObservedTraffic,
  nowMs: number,
): Finding[] {
  const { traffic, days, sinceMs } = observed;
  const when = `in ${days} day${days === 1 ? "" : "s"}`;
  const judged = rules.filter(
    ({ rule }) =>
      rule.effect === "allow" &&
      (rule.notBefore ?? sinceMs) <= sinceMs &&
      (rule.expires === null || rule.expires > nowMs),
  );
  return [
    ...judged
      .filter(({ id }) => !traffic.rules.has(id))
      .map(({ id, rule }) => finding("unused-rule", id, rule.at, `no request ${when} was one for \`${id}\``)),
    ...set.services
      .filter((each) => !traffic.services.has(scopedName(each)))
      .map((each) => [scopedName(each), each.at] as const)
      .map(([id, at]) => finding("unused-service", id, at, `no request ${when} was for a host of service \`${id}\``)),
    ...set.groups
      .filter((each) => !traffic.groups.has(scopedName(each)))
      .map((each) => [scopedName(each), each.at] as const)
      .map(([id, at]) => finding("unused-group", id, at, `no request ${when} came from a workload of group \`${id}\``)),
    ...rules.flatMap(({ id, rule }) =>
      wideFindings(
        traffic,
        id,
        id,
        rule.at,
        (rule.to ?? []).flatMap(({ hosts }) => hosts ?? []),
        when,
      ),
    ),
    ...set.services.flatMap((each) =>
      wideFindings(traffic, serviceKey(scopedName(each)), scopedName(each), each.at, each.hosts, when),
    ),
  ];
}

function wideFindings(
  traffic: Traffic,
  key: string,
  subject: string,
  at: SourcePosition,
  patterns: readonly HostPattern[],
  when: string,
): Finding[] {
  return patterns.flatMap((pattern): Finding[] => {
    const hosts = traffic.hosts.get(wildcardKey(key, pattern));
    if (hosts === undefined || hosts.size > MOST_HOSTS) return [];
    const list = [...hosts].sort().join(", ");
    const message = `all that went through \`${pattern}\` of \`${subject}\` ${when} was for ${list}`;
    return [{ code: "wide-wildcard", message, at, subject, related: [], fix: `list ${list} instead` }];
  });
}

function finding(
  code: "unused-rule" | "unused-service" | "unused-group",
  subject: string,
  at: SourcePosition,
  message: string,
): Finding {
  return { code, message, at, subject, related: [], fix: "remove it, unless it is there for a rare case" };
}

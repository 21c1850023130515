import { registeredPorts } from "../analyze/explain/registered-ports.ts";
import type { WrittenRequest } from "../analyze/request.ts";
import type { Engine } from "../pdp/engine.ts";
import type {
  EgressPolicy,
  PathPattern,
  PolicySet,
  Rule,
  RuleTarget,
  Scope,
  SubjectSelector,
} from "../policy/model.ts";

/** The most workloads and the most targets of a rule that requests are made of. */
const MOST = 3;

/** A few requests that a rule speaks of: its first workloads, each with its first targets. */
export function sampleRequests(
  engine: Engine,
  set: PolicySet,
  { policy, rule }: { readonly policy: EgressPolicy; readonly rule: Rule },
  nowMs: number,
): readonly WrittenRequest[] {
  const selectors: readonly (SubjectSelector | null)[] = rule.from ?? [null];
  const targets = (rule.to ?? []).slice(0, MOST);
  return selectors.slice(0, MOST).flatMap((selector) => {
    const from = workloadOf(selector, policy.scope, set);
    return targets.flatMap((target) => requestOf(engine, set, target, from, nowMs));
  });
}

/** A workload that a selector means. */
function workloadOf(selector: SubjectSelector | null, scope: Scope, set: PolicySet): string {
  const [own = ""] = set.gateway.trustDomains;
  const someone = `spiffe://${own}/ns/${scope === "" ? "any" : scope}/sa/any`;
  if (selector === null) return someone;
  switch (selector.kind) {
    case "group": {
      const { members } = set.groups.find((each) => each.scope === selector.scope && each.name === selector.name) ?? {};
      // A tenant's policy speaks for its own workloads only.
      const means = (members ?? []).map((each) => workloadOf(each, "", set));
      return means.find((each) => scope === "" || each.startsWith(`spiffe://${own}/ns/${scope}/`)) ?? someone;
    }
    case "id":
      return `spiffe://${selector.trustDomain}${selector.path}`;
    case "prefix":
      return `spiffe://${selector.trustDomain}${selector.path}/any`;
    case "namespace":
      return `spiffe://${own}/ns/${selector.namespace}/sa/any`;
    case "trustDomain":
      return `spiffe://${selector.trustDomain}/any`;
  }
}

function requestOf(engine: Engine, set: PolicySet, target: RuleTarget, from: string, nowMs: number): WrittenRequest[] {
  const { service, ports, methods, paths, headers } = target;
  const hosts =
    service === null
      ? target.hosts
      : set.services.find((each) => each.scope === service.scope && each.name === service.name)?.hosts;
  const pattern = hosts?.find((each) => !each.startsWith("*")) ?? hosts?.[0];
  if (pattern === undefined) return [];
  const host = pattern.startsWith("*.") ? `any${pattern.slice(1)}` : pattern;
  const known = registeredPorts(engine, set, from, host, nowMs);
  const [port] = known.filter((each) => ports === null || ports.includes(each.port));
  if (port === undefined) return [];
  const written = { from, headers: {}, upgrade: null };
  const place = `${host}:${port.port}`;
  if (port.protocol === "TCP") return [{ ...written, to: `TCP ${place}` }];
  if (port.protocol === "TLS" || port.protocol === "HTTPS") return [{ ...written, to: `TLS ${place}` }];
  const authority = port.port === 80 ? host : place;
  const asked = headers.map(({ name, values }) => [name, values[0] ?? ""] as const);
  const grpc = port.protocol === "GRPC" ? [["content-type", "application/grpc"] as const] : [];
  const to = `${methods?.[0] ?? "GET"} http://${authority}${pathOf(paths?.[0])}`;
  return [{ ...written, to, headers: Object.fromEntries([...grpc, ...asked]) }];
}

/** A path that a pattern matches. */
function pathOf(pattern: PathPattern | undefined): string {
  if (pattern === undefined) return "/";
  if (pattern.kind === "exact") return pattern.text;
  if (pattern.kind === "prefix") return `${pattern.prefix}any`;
  const parts = pattern.segments.map((each) => (each.kind === "literal" ? each.text : "any"));
  return `/${parts.join("/")}`;
}

import type { EgressPolicy, ExternalService, PolicySet, Rule, RuleTarget } from "../../src/policy/model.ts";

const at = { file: "synthetic.yaml", line: 1, column: 1 };

/** Sizes of a synthetic set: one service and one workload for each ten rules, as a large company's registry has. */
export interface SyntheticShape {
  readonly rules: number;
  readonly services: number;
  readonly workloads: number;
}

export function shapeOf(rules: number): SyntheticShape {
  return { rules, services: Math.max(10, Math.round(rules / 10)), workloads: Math.max(10, Math.round(rules / 10)) };
}

export function workloadOf(index: number): { readonly namespace: string; readonly serviceAccount: string } {
  return { namespace: `team-${index % 200}`, serviceAccount: `app-${index}` };
}

export function hostOf(index: number): string {
  return `api-${index}.vendor-${index % 997}.example`;
}

/** Which service rule `i` of the set opens, spread so that each workload has about ten, no two of them the same. */
export function serviceOf({ services, workloads }: SyntheticShape, rule: number): number {
  return ((Math.imul(rule, 7919) >>> 0) + Math.floor(rule / workloads)) % services;
}

function conditions(rule: number): Pick<RuleTarget, "ports" | "methods" | "paths" | "headers"> {
  const kind = rule % 4;
  return {
    ports: kind === 0 ? null : [80],
    methods: kind < 2 ? null : ["GET", "POST"],
    paths: kind < 3 ? null : [{ kind: "prefix", text: `/v${rule % 50}/*`, prefix: `/v${rule % 50}/` }],
    headers: [],
  };
}

/** A valid policy set of `shape.rules` allows, one namespace policy a workload's namespace, with a window on each tenth rule. */
export function syntheticSet(shape: SyntheticShape): PolicySet {
  const services: ExternalService[] = Array.from({ length: shape.services }, (_, i) => ({
    scope: "",
    name: `service-${i}`,
    at,
    hosts: [hostOf(i)],
    ports: [
      { number: 80, protocol: "HTTP" },
      { number: 443, protocol: "TLS" },
    ],
    tls: null,
    connections: null,
    mirror: null,
    split: [],
    addresses: [],
    internal: false,
  }));
  const byNamespace = new Map<string, Rule[]>();
  for (let i = 0; i < shape.rules; i++) {
    const { namespace, serviceAccount } = workloadOf(i % shape.workloads);
    const rules = byNamespace.get(namespace) ?? [];
    byNamespace.set(namespace, rules);
    rules.push({
      name: `rule-${i}`,
      at,
      effect: "allow",
      from: [{ kind: "id", trustDomain: "cluster.local", path: `/ns/${namespace}/sa/${serviceAccount}` }],
      to: [{ service: { scope: "", name: `service-${serviceOf(shape, i)}` }, hosts: null, ...conditions(i) }],
      upgrades: [],
      notBefore: null,
      expires: i % 10 === 0 ? Date.UTC(2100, 0, 1) : null,
      when: null,
      ticket: `SEC-${i}`,
      reason: null,
    });
  }
  const policies: EgressPolicy[] = [...byNamespace.keys()].sort().map((namespace) => ({
    scope: namespace,
    name: "egress",
    at,
    owner: `${namespace}@example.com`,
    mode: "enforce",
    rules: byNamespace.get(namespace) ?? [],
  }));
  return {
    gateway: {
      name: "egress",
      namespace: "istio-egress",
      at,
      securityModel: "Gateway",
      trustDomains: ["cluster.local"],
      federatedTrustDomains: [],
      clusterDomain: "cluster.local",
      fallback: "deny",
      selector: {},
      authorizer: null,
      seat: "server",
      filter: { kind: "inline" },
      publicKeys: [],
    },
    services,
    groups: [],
    policies,
    invalidNamespaces: [],
  };
}

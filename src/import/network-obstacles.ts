import { z } from "zod";
import type { HostPattern, IdentitySelector } from "../policy/model.ts";
import type { SourceProblem } from "../policy/yaml-source.ts";
import { patternsMeet } from "./hosts.ts";
import { type ObjectOf, type ObjectSource, objectsOf } from "./read-objects.ts";
import type { Obstacle, Withheld } from "./withheld.ts";

/** Whom network policies are held against. */
export interface Wire {
  /** Where the egress gateway is; null = there is none in the source. */
  readonly namespace: string | null;
  readonly hosts: readonly HostPattern[];
  /** The workloads of a namespace. */
  readonly workloadsOf: (namespace: string) => readonly IdentitySelector[];
}

/** Is this a network policy of any vendor, other than the plain one of Kubernetes? Staged ones of Calico only tell. */
export function isVendorPolicy({ group, kind }: ObjectSource): boolean {
  return kind.endsWith("NetworkPolicy") && !kind.startsWith("Staged") && group !== "networking.k8s.io";
}

/** What such a policy may stop: where it is for the whole cluster, or at the gateway, anything. */
export function vendorPolicy(object: ObjectSource, { namespace, workloadsOf }: Wire): Obstacle {
  const { kind, name, source } = object;
  const isWide = /Cluster|Global|Admin/.test(kind);
  const text = JSON.stringify((source.value as Readonly<Record<string, unknown>>) ?? {});
  const isAtGateway = namespace !== null && (isWide || object.namespace === namespace);
  // Without a word of what goes out, it is about what comes in.
  if (!/"(egress|egressDeny)":|"Egress"/.test(text) && !isAtGateway) return { object, withheld: [] };
  const from = isWide || object.namespace === namespace ? null : workloadsOf(object.namespace);
  return { object, withheld: [{ name, from, hosts: null, traffic: null, at: source.position([]) }] };
}

const networkPolicy = z.looseObject({
  egress: z.array(z.record(z.string(), z.unknown()).nullable()).nullish(),
  ingress: z.array(z.record(z.string(), z.unknown()).nullable()).nullish(),
  policyTypes: z.array(z.string()).optional(),
});

const route = z.looseObject({
  hostnames: z.array(z.string()).optional(),
  parentRefs: z.array(z.looseObject({ kind: z.string().optional(), namespace: z.string().optional() })).optional(),
});

/**
 * Objects beside Istio's own that may lie between a workload and the gateway, or between the gateway and what is outside: network
 * policies, and routes of the Gateway API.
 */
export function networkObstacles(
  all: readonly ObjectSource[],
  wire: Wire,
  problems: SourceProblem[],
): readonly Obstacle[] {
  const plain = objectsOf(all, "networking.k8s.io", "NetworkPolicy", networkPolicy);
  problems.push(...plain.problems);
  const others = all.filter(isVendorPolicy).map((object) => vendorPolicy(object, wire));
  return [...plain.objects.map((object) => plainPolicy(object, wire)), ...others, ...routes(all, wire, problems)];
}

/** A rule without peers and ports lets everything pass, and what one policy lets pass, no other stops. */
function plainPolicy(object: ObjectOf<z.output<typeof networkPolicy>>, wire: Wire): Obstacle {
  const { egress, ingress, policyTypes } = object.spec;
  const isOpen = (rules: typeof egress): boolean =>
    (rules ?? []).some(
      (rule) => rule === null || Object.values(rule).every((list) => Array.isArray(list) && list.length === 0),
    );
  const bindsEgress = policyTypes?.includes("Egress") ?? egress != null;
  const bindsIngress = policyTypes?.includes("Ingress") ?? true;
  const stopsOut = bindsEgress && !isOpen(egress);
  const stopsIn = bindsIngress && !isOpen(ingress) && object.namespace === wire.namespace;
  if (!stopsOut && !stopsIn) return { object, withheld: [] };
  const from = object.namespace === wire.namespace ? null : wire.workloadsOf(object.namespace);
  return { object, withheld: [{ name: object.name, from, hosts: null, traffic: null, at: object.at() }] };
}

const ROUTES: Readonly<Record<string, Withheld["traffic"]>> = {
  HTTPRoute: "requests",
  GRPCRoute: "requests",
  TLSRoute: "connections",
  TCPRoute: "connections",
};

/** Routes of the Gateway API; those of services inside the cluster, and of gateways elsewhere without hosts, lead nobody out. */
function routes(all: readonly ObjectSource[], wire: Wire, problems: SourceProblem[]): readonly Obstacle[] {
  return Object.entries(ROUTES).flatMap(([kind, traffic]) => {
    const found = objectsOf(all, "gateway.networking.k8s.io", kind, route);
    problems.push(...found.problems);
    return found.objects.map((object): Obstacle => {
      const { hostnames = [], parentRefs = [] } = object.spec;
      const parents = parentRefs.filter((each) => each.kind !== "Service");
      const hosts = wire.hosts.filter((host) => hostnames.some((each) => patternsMeet(each.toLowerCase(), host)));
      const isHere = parents.some(
        (each) =>
          (each.kind !== "Gateway" && each.kind !== undefined) ||
          (each.namespace ?? object.namespace) === wire.namespace,
      );
      const about = { name: object.name, from: null, traffic, at: object.at() };
      if (parents.length === 0 || (hostnames.length > 0 ? hosts.length === 0 : !isHere))
        return { object, withheld: [] };
      return { object, withheld: [{ ...about, hosts: hostnames.length > 0 ? hosts : null }] };
    });
  });
}

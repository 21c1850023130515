import ipaddr from "ipaddr.js";
import type { KubernetesObject } from "./policy-sets.ts";

/** A pod, or an address outside of the cluster (no labels). */
export interface End {
  readonly namespace: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly ip: string;
}

interface Selector {
  readonly matchLabels?: Readonly<Record<string, string>>;
}

interface Peer {
  readonly ipBlock?: { readonly cidr: string; readonly except?: readonly string[] };
  readonly podSelector?: Selector;
  readonly namespaceSelector?: Selector;
}

interface NetworkRule {
  readonly to?: readonly Peer[];
  readonly from?: readonly Peer[];
  readonly ports?: readonly { readonly protocol: string; readonly port: number }[];
}

interface NetworkPolicy extends KubernetesObject {
  readonly metadata: { readonly name: string; readonly namespace: string };
  readonly spec: {
    readonly podSelector: Selector;
    readonly policyTypes: readonly string[];
    readonly egress?: readonly NetworkRule[];
    readonly ingress?: readonly NetworkRule[];
  };
}

/** How Kubernetes documents NetworkPolicy, written from its text: both ends must let the connection be. */
export function connects(
  objects: readonly KubernetesObject[],
  from: End,
  to: End,
  port: number,
  protocol = "TCP",
): boolean {
  const policies = objects.filter((object): object is NetworkPolicy => object.kind === "NetworkPolicy");
  const leaves = lets(policies, "Egress", from, ({ spec }) => spec.egress, to, port, protocol);
  return leaves && lets(policies, "Ingress", to, ({ spec }) => spec.ingress, from, port, protocol);
}

function lets(
  policies: readonly NetworkPolicy[],
  type: string,
  pod: End,
  rulesOf: (policy: NetworkPolicy) => readonly NetworkRule[] | undefined,
  other: End,
  port: number,
  protocol: string,
): boolean {
  const bound = policies.filter(
    ({ metadata, spec }) =>
      metadata.namespace === pod.namespace && spec.policyTypes.includes(type) && selects(spec.podSelector, pod.labels),
  );
  if (bound.length === 0) return true;
  return bound
    .flatMap((policy) => rulesOf(policy) ?? [])
    .some((rule) => {
      const peers = rule.to ?? rule.from;
      const reaches = peers === undefined || peers.some((peer) => holds(peer, other, pod.namespace));
      const ports = rule.ports;
      return reaches && (ports === undefined || ports.some((each) => each.port === port && each.protocol === protocol));
    });
}

function holds({ ipBlock, podSelector, namespaceSelector }: Peer, end: End, own: string): boolean {
  if (ipBlock !== undefined) {
    return inside(end.ip, ipBlock.cidr) && !(ipBlock.except ?? []).some((cidr) => inside(end.ip, cidr));
  }
  if (end.namespace === "") return false;
  const there =
    namespaceSelector === undefined
      ? end.namespace === own
      : selects(namespaceSelector, { "kubernetes.io/metadata.name": end.namespace });
  return there && selects(podSelector ?? {}, end.labels);
}

function selects({ matchLabels }: Selector, labels: Readonly<Record<string, string>>): boolean {
  return Object.entries(matchLabels ?? {}).every(([key, value]) => labels[key] === value);
}

function inside(ip: string, cidr: string): boolean {
  const address = ipaddr.parse(ip);
  const [range, bits] = ipaddr.parseCIDR(cidr);
  return address.kind() === range.kind() && address.match(range, bits);
}

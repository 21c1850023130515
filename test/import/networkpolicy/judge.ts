/**
 * Naive judges of network policies that know names, from the documentation of Cilium (toFQDNs, egressDeny), GKE
 * (FQDNNetworkPolicy) and Calico (domains, order of rules). They share nothing with the import. A name is taken to lead to
 * addresses of its own.
 */

export interface Pod {
  readonly namespace: string;
  readonly account: string;
  readonly labels: Readonly<Record<string, string>>;
}

export interface Dial {
  readonly host: string;
  readonly port: number;
}

/** `free`: no policy selects the pod, so that everything passes. */
export type Answer = "allow" | "deny" | "free";

type Labels = Readonly<Record<string, string>>;

export interface CiliumPolicy {
  readonly namespace: string;
  readonly endpointSelector: { readonly matchLabels: Labels };
  readonly egress: readonly {
    readonly toFQDNs?: readonly { readonly matchName?: string; readonly matchPattern?: string }[];
    readonly toEntities?: readonly string[];
    readonly toPorts?: readonly { readonly ports: readonly { readonly port: string; readonly protocol: string }[] }[];
  }[];
  readonly egressDeny?: readonly {
    readonly toEntities?: readonly string[];
    readonly toCIDR?: readonly string[];
    readonly toPorts?: readonly { readonly ports: readonly { readonly port: string; readonly protocol: string }[] }[];
  }[];
}

export function judgeCilium(policies: readonly CiliumPolicy[], pod: Pod, { host, port }: Dial): Answer {
  const own = policies.filter(
    ({ namespace, endpointSelector }) => namespace === pod.namespace && isSelected(endpointSelector.matchLabels, pod),
  );
  if (own.length === 0) return "free";
  const onPort = (toPorts: CiliumPolicy["egress"][number]["toPorts"]): boolean =>
    toPorts === undefined ||
    toPorts.some(({ ports }) => ports.some((each) => Number(each.port) === port && each.protocol !== "UDP"));
  const denied = own.some(({ egressDeny = [] }) =>
    egressDeny.some(({ toEntities, toCIDR, toPorts }) => {
      const isOutside = toEntities?.includes("world") ?? toCIDR?.includes("0.0.0.0/0") ?? true;
      return isOutside && onPort(toPorts);
    }),
  );
  if (denied) return "deny";
  return own.some(({ egress }) =>
    egress.some(({ toFQDNs, toEntities, toPorts }) => {
      const names = toFQDNs?.some(
        ({ matchName, matchPattern }) =>
          matchName?.toLowerCase().replace(/\.$/, "") === host ||
          (matchPattern !== undefined && starMatches(matchPattern, host)),
      );
      return (names ?? toEntities?.includes("world") ?? true) && onPort(toPorts);
    }),
  )
    ? "allow"
    : "deny";
}

export interface GkePolicy {
  readonly namespace: string;
  readonly podSelector: { readonly matchLabels?: Labels };
  readonly egress: readonly {
    readonly matches: readonly { readonly name?: string; readonly pattern?: string }[];
    readonly ports?: readonly { readonly protocol: string; readonly port: number }[];
  }[];
}

export function judgeGke(policies: readonly GkePolicy[], pod: Pod, { host, port }: Dial): Answer {
  const own = policies.filter(
    ({ namespace, podSelector }) => namespace === pod.namespace && isSelected(podSelector.matchLabels ?? {}, pod),
  );
  if (own.length === 0) return "free";
  const opens = own.some(({ egress }) =>
    egress.some(
      ({ matches, ports }) =>
        matches.some(({ name, pattern }) => name === host || (pattern !== undefined && starMatches(pattern, host))) &&
        (ports === undefined || ports.some((each) => each.protocol === "TCP" && each.port === port)),
    ),
  );
  return opens ? "allow" : "deny";
}

export interface CalicoPolicy {
  readonly namespace: string;
  readonly order: number;
  readonly serviceAccountSelector?: string;
  readonly egress: readonly {
    readonly action: "Allow" | "Deny";
    readonly protocol?: string;
    readonly destination?: {
      readonly domains?: readonly string[];
      readonly nets?: readonly string[];
      readonly ports?: readonly number[];
    };
  }[];
}

export function judgeCalico(policies: readonly CalicoPolicy[], pod: Pod, { host, port }: Dial): Answer {
  const own = policies
    .filter(({ namespace, serviceAccountSelector }) => {
      const account = /'(.*)'/.exec(serviceAccountSelector ?? "")?.[1];
      return namespace === pod.namespace && (account === undefined || account === pod.account);
    })
    .toSorted((a, b) => a.order - b.order);
  if (own.length === 0) return "free";
  for (const { egress } of own) {
    for (const { action, protocol, destination } of egress) {
      const { domains, nets, ports } = destination ?? {};
      if (protocol === "UDP" || (ports !== undefined && !ports.includes(port))) continue;
      if (nets !== undefined && !nets.includes("0.0.0.0/0")) continue;
      if (domains !== undefined && !domains.some((each) => domainMatches(each, host))) continue;
      return action === "Allow" ? "allow" : "deny";
    }
  }
  return "deny";
}

function isSelected(labels: Labels, pod: Pod): boolean {
  return Object.entries(labels).every(([key, value]) =>
    key === "io.cilium.k8s.policy.serviceaccount" ? value === pod.account : pod.labels[key] === value,
  );
}

/** A `*` is any part of one label, `**.` at the start one or more labels, `*` alone everything. */
function starMatches(pattern: string, host: string): boolean {
  if (pattern === "*") return true;
  if (pattern.startsWith("**.")) return host.endsWith(pattern.slice(2)) && host.length > pattern.length - 2;
  const text = pattern
    .split("*")
    .map((part) => part.replaceAll(".", "\\."))
    .join("[a-z0-9_-]*");
  return new RegExp(`^${text}$`).test(host);
}

/** A `*` is one or more labels. */
function domainMatches(domain: string, host: string): boolean {
  const text = domain
    .split("*")
    .map((part) => part.replaceAll(".", "\\."))
    .join("[a-z0-9_-]+(\\.[a-z0-9_-]+)*");
  return new RegExp(`^${text}$`).test(host);
}

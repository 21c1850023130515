import type { ExternalService, PolicySet } from "../../policy/model.ts";
import { hostCidr } from "../public-addresses.ts";
import { upstreamPorts } from "../services.ts";
import { podsOf, tcp } from "./peers.ts";

/** Whether the service has CIDRs of its own, which network policy can hold it to. */
export function isAddressed({ ports, addresses }: ExternalService): boolean {
  return addresses.length > 0 && ports.every(({ protocol }) => protocol === "TCP");
}

/** An egress rule that opens a service's CIDRs on its ports. */
export function addressedRule(service: ExternalService): object {
  const to = service.addresses.map((cidr) => ({ ipBlock: { cidr } }));
  return { to, ports: tcp(service.ports.map(({ number }) => number)) };
}

/** Egress rules for what lies inside, and was registered by name: addresses, and services of the cluster. */
export function internalRules(set: PolicySet): readonly object[] {
  return set.services.filter(({ internal }) => internal).flatMap((service) => internalRule(set, service));
}

function internalRule(set: PolicySet, service: ExternalService): readonly object[] {
  const cidrs = [...service.hosts.map(hostCidr), ...service.addresses].filter((cidr) => cidr !== null);
  const suffix = `.svc.${set.gateway.clusterDomain}`;
  const namespaces = service.hosts.flatMap((host) =>
    host.endsWith(suffix) ? (host.slice(0, -suffix.length).split(".").at(-1) ?? []) : [],
  );
  const to = [
    ...[...new Set(cidrs)].sort().map((cidr) => ({ ipBlock: { cidr } })),
    ...[...new Set(namespaces)].sort().map((namespace) => podsOf(namespace, {})),
  ];
  return to.length === 0 ? [] : [{ to, ports: tcp(upstreamPorts(service)) }];
}

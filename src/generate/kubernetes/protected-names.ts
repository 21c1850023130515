import type { PolicySet } from "../../policy/model.ts";
import { hostSuffix, isWildcard } from "../services.ts";
import { celList, type Variable } from "./admission-policy.ts";

/** Names that tenants' mesh objects must not take: every registered host, the gateway's and the authorizer's. */
export function protectedNames(set: PolicySet): readonly Variable[] {
  const hosts = set.services.flatMap((service) => service.hosts);
  const { name, namespace, authorizer, clusterDomain } = set.gateway;
  const own = [`${name}.${namespace}`, ...(authorizer === null ? [] : [authorizer.service])];
  const spelt = own.flatMap((each) => [each, `${each}.svc`, `${each}.svc.${clusterDomain}`]);
  return [
    { name: "names", expression: celList([...hosts.filter((host) => !isWildcard(host)), ...spelt]) },
    { name: "suffixes", expression: celList(hosts.filter(isWildcard).map((host) => `.${hostSuffix(host)}`)) },
  ];
}

/**
 * CEL: whether a host, as a mesh object writes it, is protected, lies under a protected wildcard, or is a wildcard over
 * something protected. Other spellings of a name count as protected.
 */
export function isProtected(host: string): string {
  return [
    `${host} != ${host}.lowerAscii()`,
    `${host}.endsWith('.')`,
    `${host} in variables.names`,
    `variables.suffixes.exists(s, ${host}.endsWith(s))`,
    `(${host}.startsWith('*') && (variables.names + variables.suffixes).exists(n, n.endsWith(${host}.substring(1))))`,
  ].join(" || ");
}

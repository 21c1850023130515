import type { PolicySet } from "../../policy/model.ts";
import { SYSTEM_NAMESPACES } from "./peers.ts";

/** Namespaces that the policies name: whose documents there are, or whose workloads they speak of. Sorted. */
function namedNamespaces(set: PolicySet): readonly string[] {
  const documents = [...set.services, ...set.groups, ...set.policies].map(({ scope }) => scope);
  const selectors = [
    ...set.groups.flatMap(({ members }) => members),
    ...set.policies.flatMap(({ rules }) => rules.flatMap(({ from }) => from ?? [])),
  ];
  const members = selectors.map((selector) => {
    if (selector.kind === "namespace") return selector.namespace;
    if (selector.kind === "group" || selector.kind === "trustDomain") return "";
    // A partner's /ns/x is not our namespace x.
    if (selector.trustDomain !== set.gateway.trustDomains[0]) return "";
    return /^\/ns\/([^/]+)/.exec(selector.path)?.[1] ?? "";
  });
  return [...new Set([...documents, ...members, ...set.invalidNamespaces])].filter((name) => name !== "").sort();
}

/** The namespace in a `name.namespace`. */
export function authorizerNamespace(set: PolicySet): string | null {
  return set.gateway.authorizer?.service.split(".")[1] ?? null;
}

/** Namespaces of applications: those that get a default deny. */
export function governedNamespaces(set: PolicySet): readonly string[] {
  const own = [set.gateway.namespace, authorizerNamespace(set), ...SYSTEM_NAMESPACES];
  return namedNamespaces(set).filter((name) => !own.includes(name));
}

/** Namespaces that the policies name and that cannot have a default deny. */
export function ungovernableNamespaces(set: PolicySet): readonly string[] {
  return namedNamespaces(set).filter((name) => SYSTEM_NAMESPACES.includes(name));
}

/** Namespaces of the gateway and its authorizer, as far as nobody else's parts live there. Sorted. */
export function ownNamespaces(set: PolicySet): readonly string[] {
  return reservedNamespaces(set).filter((name) => !SYSTEM_NAMESPACES.includes(name));
}

/** Those that they share with the cluster's own parts. */
export function sharedNamespaces(set: PolicySet): readonly string[] {
  return reservedNamespaces(set).filter((name) => SYSTEM_NAMESPACES.includes(name));
}

function reservedNamespaces(set: PolicySet): readonly string[] {
  const names = [set.gateway.namespace, authorizerNamespace(set)].filter((name) => name !== null);
  return [...new Set(names)].sort();
}

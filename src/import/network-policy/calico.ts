import type { z } from "zod";
import type { IdentitySelector } from "../../policy/model.ts";
import type { SourceProblem } from "../../policy/yaml-source.ts";
import { type ObjectOf, type ObjectSource, objectsOf } from "../read-objects.ts";
import { readSelector, selectorsMeet } from "../subjects.ts";
import { areInside } from "./addresses.ts";
import type { Context, Opening } from "./opening.ts";
import { calicoPolicy } from "./schema.ts";

type Policy = ObjectOf<z.output<typeof calicoPolicy>>;
type Rule = NonNullable<Policy["spec"]["egress"]>[number];

interface Placed {
  readonly policy: Policy;
  /** Null = it cannot be said whose. */
  readonly from: readonly IdentitySelector[] | null;
  /** The one namespace that it is for, or null. */
  readonly namespace: string | null;
}

/**
 * Reads NetworkPolicy and GlobalNetworkPolicy of Calico: what they allow by `domains`. The first rule that matches decides there,
 * tier by tier; what an earlier rule might stop is left out.
 */
export function readCalico(
  objects: readonly ObjectSource[],
  context: Context,
  problems: SourceProblem[],
): readonly Opening[] {
  const local = objectsOf(objects, "projectcalico.org", "NetworkPolicy", calicoPolicy);
  const global = objectsOf(objects, "projectcalico.org", "GlobalNetworkPolicy", calicoPolicy);
  problems.push(...local.problems, ...global.problems);
  const all = [
    ...local.objects.map((policy) => placedPolicy(policy, policy.namespace, context)),
    ...global.objects.map((policy) => placedPolicy(policy, null, context)),
  ].filter(({ policy: { spec } }) => spec.types?.includes("Egress") ?? spec.egress !== undefined);
  return all.flatMap((placed) => openingsOf(placed, all, context));
}

function openingsOf(placed: Placed, all: readonly Placed[], { note }: Context): readonly Opening[] {
  const { policy, from } = placed;
  return (policy.spec.egress ?? []).flatMap((rule, i): readonly Opening[] => {
    const at = policy.at("egress", i);
    const { domains, ports: list, ...others } = rule.destination ?? {};
    if (rule.action !== "Allow") return [];
    if (domains === undefined) {
      const nets = (others as { nets?: unknown }).nets;
      const isInside = Array.isArray(nets) && areInside(nets);
      if (!isInside && (others as { selector?: unknown }).selector === undefined) {
        note("no-names", at, `\`${policy.name}\` opens addresses, and no names: left out`);
      }
      return [];
    }
    if (from === null) {
      note(
        "workload-labels",
        at,
        `pods of \`${policy.name}\` are left out: \`--workloads\` names no service accounts for them`,
      );
      return [];
    }
    const { source, http, notProtocol, ipVersion, icmp, notICMP } = rule;
    const [odd] =
      Object.entries({ source, http, notProtocol, ipVersion, icmp, notICMP, ...others }).find(
        ([, value]) => value !== undefined,
      ) ?? [];
    if (odd !== undefined) {
      note("condition-not-expressible", at, `an opening that asks for \`${odd}\` is left out`);
      return [];
    }
    if (rule.protocol !== undefined && !["TCP", "6"].includes(String(rule.protocol).toUpperCase())) return [];
    const ports = list === undefined ? null : numbersOf(list);
    if (ports !== null && ports.length < (list ?? []).length)
      note("port-by-name", at, "ports that are ranges or names are left out");
    if (ports?.length === 0) return [];
    const stop = earlierStop(placed, i, ports, all);
    if (stop !== null) {
      note("earlier-deny", at, `\`${policy.name}\` is left out: \`${stop}\` may come first and stop it`);
      return [];
    }
    const names = domains.map((text, j) => ({
      text,
      star: "labels" as const,
      at: policy.at("egress", i, "destination", "domains", j),
    }));
    return [{ policy: policy.name, from, names, ports, at }];
  });
}

/** The policy with a rule that may come before this one and stop what it allows; null when there is none. */
function earlierStop(
  placed: Placed,
  index: number,
  ports: readonly number[] | null,
  all: readonly Placed[],
): string | null {
  const { spec } = placed.policy;
  const tierOf = (policy: Policy): string => policy.spec.tier ?? "default";
  const orderOf = (policy: Policy): number => policy.spec.order ?? Number.POSITIVE_INFINITY;
  for (const other of all) {
    if (!mayMeet(placed, other)) continue;
    const { policy } = other;
    // What no rule of a tier lets pass is dropped at its end, and which tier comes first is not known here.
    if (tierOf(policy) !== tierOf(placed.policy)) return policy.name;
    const isSame = policy === placed.policy;
    if (!isSame && orderOf(policy) > orderOf(placed.policy)) continue;
    const rules = isSame ? (spec.egress ?? []).slice(0, index) : (policy.spec.egress ?? []);
    if (rules.some((rule) => mayStop(rule, ports))) return policy.name;
  }
  return null;
}

function mayMeet(one: Placed, other: Placed): boolean {
  if (one.namespace !== null && other.namespace !== null && one.namespace !== other.namespace) return false;
  if (one.from === null || other.from === null) return true;
  return one.from.some((a) => other.from?.some((b) => selectorsMeet(a, b)));
}

function mayStop(rule: Rule, ports: readonly number[] | null): boolean {
  if (rule.action !== "Deny" && rule.action !== "Pass") return false;
  const { ports: list, ...others } = rule.destination ?? {};
  const nets = (others as { nets?: unknown }).nets;
  if (Array.isArray(nets) && areInside(nets)) return false;
  if (
    rule.protocol !== undefined &&
    ["UDP", "17", "ICMP", "ICMPV6", "SCTP"].includes(String(rule.protocol).toUpperCase())
  )
    return false;
  if (list === undefined || ports === null) return true;
  const numbers = numbersOf(list);
  return numbers.length < list.length || numbers.some((each) => ports.includes(each));
}

function numbersOf(list: readonly (string | number)[]): readonly number[] {
  return list.map(Number).filter((each) => Number.isInteger(each) && each > 0 && each <= 65_535);
}

/** Labels that Calico itself gives a pod, and its namespace. */
const NAMESPACE: ReadonlySet<string> = new Set(["projectcalico.org/namespace"]);
const ACCOUNT: ReadonlySet<string> = new Set(["projectcalico.org/serviceaccount"]);

function placedPolicy(policy: Policy, own: string | null, { trustDomain, canon, behind }: Context): Placed {
  const { selector, namespaceSelector, serviceAccountSelector } = policy.spec;
  const labels = equalities(selector);
  const place = equalities(namespaceSelector);
  const accounts = equalities(serviceAccountSelector);
  const nothing: Placed = { policy, from: null, namespace: own };
  if (labels === null || place === null || accounts === null) return nothing;
  const others = labels.filter(([key]) => !NAMESPACE.has(key) && !ACCOUNT.has(key));
  const namespaces = [
    ...(own === null ? [] : [own]),
    ...labels.filter(([key]) => NAMESPACE.has(key)).map(([, value]) => value),
    ...place.filter(([key]) => NAMES.has(key)).map(([, value]) => value),
  ];
  const names = [
    ...labels.filter(([key]) => ACCOUNT.has(key)).map(([, value]) => value),
    ...accounts.filter(([key]) => NAMES.has(key)).map(([, value]) => value),
  ];
  if ([...place, ...accounts].some(([key]) => !NAMES.has(key)) || new Set(names).size > 1) return nothing;
  const [namespace] = namespaces;
  if (namespace === undefined) {
    const everyone = names.length === 0 && others.length === 0;
    return { policy, from: everyone ? [{ kind: "trustDomain", trustDomain }] : null, namespace: null };
  }
  if (new Set(namespaces).size > 1) return { policy, from: [], namespace };
  if (others.length > 0) {
    return { policy, from: names.length > 0 ? null : behind(namespace, Object.fromEntries(others)), namespace };
  }
  const spec = names[0] === undefined ? { namespace } : { serviceAccount: `${namespace}/${names[0]}` };
  const read = readSelector(spec, trustDomain, canon);
  return { policy, from: read.ok ? [read.value] : null, namespace };
}

const NAMES: ReadonlySet<string> = new Set(["projectcalico.org/name", "kubernetes.io/metadata.name"]);

/** `a == 'b' && c == 'd'` as pairs; none for `all()`; null for every other expression. */
function equalities(selector: string | undefined): readonly (readonly [string, string])[] | null {
  const text = selector?.trim() ?? "";
  if (text === "" || text === "all()") return [];
  const pairs: (readonly [string, string])[] = [];
  for (const part of text.split("&&")) {
    const match = /^\s*([\w./-]+)\s*==\s*(?:'([^']*)'|"([^"]*)")\s*$/.exec(part);
    if (match?.[1] === undefined) return null;
    pairs.push([match[1], match[2] ?? match[3] ?? ""]);
  }
  return pairs;
}

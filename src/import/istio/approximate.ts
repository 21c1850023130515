import type { Canonicaliser } from "../../policy/canonicaliser.ts";
import { patternCovers } from "../../policy/host-pattern.ts";
import type { HostPattern, IdentitySelector } from "../../policy/model.ts";
import { parsePathPattern } from "../../policy/path-pattern.ts";
import { parseHeaderValue, parseMethod } from "../../policy/token.ts";
import { bringHost } from "../hosts.ts";
import { readSelector, selectorCovers } from "../subjects.ts";

/**
 * How values of Istio (exact, `prefix*`, `*suffix`, `*`) are said by ours, where they cannot be said exactly: `within` means no
 * more than the value does, for what allows; `around` no less, for what denies.
 */
export type Bound = "within" | "around";

/** Values said by ours; `exact` = they mean the same. */
export interface Approximation<T> {
  readonly values: readonly T[];
  readonly exact: boolean;
}

/** What reading identities needs. */
export interface Identities {
  readonly trustDomain: string;
  readonly canon: Canonicaliser;
}

/** Standard methods: what `notMethods` leaves over. */
export const METHODS = ["DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT", "TRACE"] as const;

/** All workloads of the mesh: nobody else has an identity here that could pass. */
export function everyone({ trustDomain }: Identities): IdentitySelector {
  return { kind: "trustDomain", trustDomain };
}

/** `principals`. Workloads of Istio are `<domain>/ns/<namespace>/sa/<account>`; `cluster.local` stands for the mesh's own domain. */
export function principalsOf(
  values: readonly string[],
  bound: Bound,
  identities: Identities,
): Approximation<IdentitySelector> {
  return joined(values.map((value) => principalOf(value, bound, identities)));
}

function principalOf(value: string, bound: Bound, identities: Identities): Approximation<IdentitySelector> {
  const { trustDomain } = identities;
  const all = everyone(identities);
  if (value === "*") return { values: [all], exact: true };
  if (value.startsWith("*")) {
    const account = /^\*\/ns\/([^/*]+)\/sa\/([^/*]+)$/.exec(value);
    if (account === null) return { values: bound === "within" ? [] : [all], exact: false };
    return workload(`${account[1]}/${account[2]}`, identities);
  }
  const slash = value.indexOf("/");
  const domain = slash < 0 ? value : value.slice(0, slash);
  if (domain.endsWith("*")) return { values: bound === "within" ? [] : [all], exact: false };
  // Whoever comes from elsewhere is refused here before any rule.
  if (domain !== trustDomain && domain !== "cluster.local") return { values: [], exact: false };
  const path = value.slice(domain.length);
  if (path === "/*" || path === "/ns/*") return { values: [all], exact: true };
  const namespace = /^\/ns\/([^/*]+)(?:\/sa)?\/\*$/.exec(path)?.[1];
  if (namespace !== undefined) return namespaceSelector(namespace, identities);
  if (path.endsWith("*")) {
    const within = /^\/ns\/([^/*]+)\/sa\/[^/*]*\*$/.exec(path)?.[1];
    if (bound === "within") return { values: [], exact: false };
    return { values: within === undefined ? [all] : namespaceSelector(within, identities).values, exact: false };
  }
  const account = /^\/ns\/([^/*]+)\/sa\/([^/*]+)$/.exec(path);
  if (account === null) return { values: [], exact: false };
  return workload(`${account[1]}/${account[2]}`, identities);
}

/** `namespaces`. */
export function namespacesOf(
  values: readonly string[],
  bound: Bound,
  identities: Identities,
): Approximation<IdentitySelector> {
  return joined(
    values.map((value) => {
      if (value === "*") return { values: [everyone(identities)], exact: true };
      if (value.includes("*")) return { values: bound === "within" ? [] : [everyone(identities)], exact: false };
      return namespaceSelector(value, identities);
    }),
  );
}

/** `serviceAccounts`: `namespace/name`, or a name in the policy's own namespace. */
export function accountsOf(
  values: readonly string[],
  namespace: string,
  identities: Identities,
): Approximation<IdentitySelector> {
  return joined(values.map((value) => workload(value.includes("/") ? value : `${namespace}/${value}`, identities)));
}

/** The workloads that are in both lists. */
export function both(
  one: readonly IdentitySelector[],
  other: readonly IdentitySelector[],
): readonly IdentitySelector[] {
  return one.flatMap((a) => other.flatMap((b) => (selectorCovers(a, b) ? [b] : selectorCovers(b, a) ? [a] : [])));
}

/** A part of the outside that is reached by host and port. */
export interface Place {
  readonly pattern: HostPattern;
  readonly port: number;
}

/**
 * The hosts of a place whose authority `hosts` matches. Istio compares the authority as the client writes it, which is without
 * a port on port 80 and with it elsewhere. Around: whichever is written.
 */
export function hostsOf(
  values: readonly string[],
  place: Place,
  bound: Bound,
  canon: Canonicaliser,
): Approximation<HostPattern> {
  const withPort = `:${place.port}`;
  const [usual, odd] = place.port === 80 ? ["", withPort] : [withPort, ""];
  const named = (tail: string): Approximation<HostPattern> =>
    joined(values.map((value) => namesOf(value.toLowerCase(), tail, place.pattern, bound, canon)));
  const said = named(usual);
  if (bound === "within") return said;
  const also = named(odd).values.filter((each) => !said.values.some((other) => patternCovers(other, each)));
  return { values: [...said.values, ...also], exact: said.exact && also.length === 0 };
}

/** The hosts of a pattern that `connection.sni` matches. */
export function serverNamesOf(
  values: readonly string[],
  pattern: HostPattern,
  bound: Bound,
  canon: Canonicaliser,
): Approximation<HostPattern> {
  return joined(values.map((value) => namesOf(value.toLowerCase(), "", pattern, bound, canon)));
}

/** The hosts of a pattern that, with `tail` behind them, one value matches. */
function namesOf(
  value: string,
  tail: string,
  pattern: HostPattern,
  bound: Bound,
  canon: Canonicaliser,
): Approximation<HostPattern> {
  const none = { values: [], exact: true };
  if (value === "*") return { values: [pattern], exact: true };
  const wild = pattern.startsWith("*.");
  if (value.startsWith("*")) {
    const rest = value.slice(1);
    if (!rest.endsWith(tail)) {
      // The value ends within the port.
      return tail.endsWith(rest) ? { values: [pattern], exact: true } : none;
    }
    return suffixOf(rest.slice(0, rest.length - tail.length), pattern, bound, canon);
  }
  if (value.endsWith("*")) {
    const start = value.slice(0, -1);
    if (!wild) return (pattern + tail).startsWith(start) ? { values: [pattern], exact: true } : none;
    const host = tail !== "" && start === `${start.split(":")[0]}:` ? bringHost(start.slice(0, -1), canon) : null;
    if (host?.ok === true) return patternCovers(pattern, host.pattern) ? { values: [host.pattern], exact: true } : none;
    return { values: bound === "within" ? [] : [pattern], exact: false };
  }
  if (!value.endsWith(tail) || value === tail) return none;
  const host = bringHost(value.slice(0, value.length - tail.length), canon);
  return host.ok && patternCovers(pattern, host.pattern) ? { values: [host.pattern], exact: true } : none;
}

function suffixOf(
  suffix: string,
  pattern: HostPattern,
  bound: Bound,
  canon: Canonicaliser,
): Approximation<HostPattern> {
  const wild = pattern.startsWith("*.");
  if ((wild ? pattern.slice(1) : pattern).endsWith(suffix)) return { values: [pattern], exact: true };
  if (!wild || !suffix.endsWith(pattern.slice(1))) {
    // `ample.com` ends no name under `*.example.com` that `.example.com` does not.
    return { values: [], exact: true };
  }
  const below = bringHost(`*.${suffix.replace(/^\./, "")}`, canon);
  if (suffix.startsWith(".")) return { values: below.ok ? [below.pattern] : [], exact: true };
  const self = bringHost(suffix, canon);
  if (bound === "around") return { values: [pattern], exact: false };
  return { values: [...(below.ok ? [below.pattern] : []), ...(self.ok ? [self.pattern] : [])], exact: false };
}

/** `methods`; null = any. */
export function methodsOf(values: readonly string[], bound: Bound): Approximation<string> | null {
  if (values.includes("*")) return null;
  const plain = values.filter((value) => !value.includes("*") && parseMethod(value).ok);
  if (bound === "around" && plain.length < values.length) return null;
  return { values: plain, exact: plain.length === values.length };
}

/** `paths`; null = any. Istio compares them as they are sent, ours decoded. */
export function pathsOf(values: readonly string[], bound: Bound): Approximation<string> | null {
  if (values.includes("*")) return null;
  const said = values.filter((value) => parsePathPattern(value).ok);
  if (bound === "around" && said.length < values.length) return null;
  return { values: said, exact: said.length === values.length };
}

/** Exact values of a header; null where not all can be said and the bound is around. */
export function headerValuesOf(values: readonly string[], bound: Bound): Approximation<string> | null {
  const said = values.filter((value) => !value.startsWith("*") && !value.endsWith("*") && parseHeaderValue(value).ok);
  if (bound === "around" && said.length < values.length) return null;
  return { values: said, exact: said.length === values.length };
}

function workload(account: string, { trustDomain, canon }: Identities): Approximation<IdentitySelector> {
  const selector = readSelector({ serviceAccount: account }, trustDomain, canon);
  return selector.ok ? { values: [selector.value], exact: true } : { values: [], exact: false };
}

function namespaceSelector(namespace: string, { trustDomain, canon }: Identities): Approximation<IdentitySelector> {
  const selector = readSelector({ namespace }, trustDomain, canon);
  return selector.ok ? { values: [selector.value], exact: true } : { values: [], exact: false };
}

function joined<T>(parts: readonly Approximation<T>[]): Approximation<T> {
  const byText = new Map(parts.flatMap(({ values }) => values).map((value) => [JSON.stringify(value), value]));
  return { values: [...byText.values()], exact: parts.every(({ exact }) => exact) };
}

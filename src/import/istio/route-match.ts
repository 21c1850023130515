import { patternCovers } from "../../policy/host-pattern.ts";
import type { HostPattern, IdentitySelector } from "../../policy/model.ts";
import { patternsMeet } from "../hosts.ts";
import { readSelector } from "../subjects.ts";
import { type Bound, headerValuesOf, type Identities, methodsOf, pathsOf } from "./approximate.ts";
import { isSaid, type RouteMatch } from "./route-schema.ts";

/** Where a route is looked at: in the sidecar, on the port that the application dials, or at a Gateway, on a port of a server. */
export interface Seat {
  readonly kind: "http" | "tls" | "tcp";
  /** Null = the sidecar; else `namespace/name` of the Gateway. */
  readonly gateway: string | null;
  readonly port: number;
}

/** What of the traffic to a claim a route takes. */
export interface Passage {
  readonly from: readonly IdentitySelector[] | null;
  readonly pattern: HostPattern;
  /** Null = any. */
  readonly methods: readonly string[] | null;
  readonly paths: readonly string[] | null;
  readonly headers: Readonly<Record<string, readonly string[]>> | null;
}

/** A route's conditions said by ours, or which of them cannot be. */
export type ReadMatch =
  | { readonly ok: true; readonly passages: readonly Passage[] }
  | { readonly ok: false; readonly what: string };

/** `namespace/name` of a Gateway that a VirtualService names; null for the sidecars. */
export function gatewayNamed(text: string, namespace: string): string | null {
  if (text === "mesh") return null;
  return text.includes("/") ? text.replace(/^\.\//, `${namespace}/`) : `${namespace}/${text}`;
}

/** May the conditions hold at this seat? What only requests or pods tell is not looked at. */
export function mayHoldAt(match: RouteMatch | null, seat: Seat, namespace: string): boolean {
  const { gateways, port } = match ?? {};
  if (isSaid(port) && port !== seat.port) return false;
  if (!isSaid(gateways)) return true;
  return textsOf(gateways)?.some((each) => gatewayNamed(each, namespace) === seat.gateway) ?? true;
}

/** Keys that are looked at before any traffic. */
export const STATIC: ReadonlySet<string> = new Set(["name", "statPrefix", "gateways", "port"]);

/**
 * What conditions that hold at this seat take of a claim: for what passes no more than they do, for what is stopped no less.
 * No passage takes nothing.
 */
export function passageOf(
  match: RouteMatch | null,
  seat: Seat,
  pattern: HostPattern,
  bound: Bound,
  identities: Identities,
): ReadMatch {
  let from: readonly IdentitySelector[] | null = null;
  let patterns: readonly HostPattern[] = [pattern];
  let methods: readonly string[] | null = null;
  let paths: readonly string[] | null = null;
  const headers: [string, readonly string[]][] = [];
  for (const [key, value] of Object.entries(match ?? {})) {
    if (!isSaid(value) || (STATIC.has(key) && (key !== "gateways" || textsOf(value) !== null))) continue;
    const odd = { ok: false, what: `\`${key}\`` } as const;
    const exact = textOf(value, "exact");
    // Where a route of requests names gateways too, Istio does not look at the namespace.
    if (key === "sourceNamespace" && seat.gateway === null && !isSaid(match?.gateways) && bound === "within") {
      const selector = readSelector({ namespace: String(value) }, identities.trustDomain, identities.canon);
      if (!selector.ok) return odd;
      from = [selector.value];
    } else if (key === "sniHosts" && seat.kind === "tls") {
      patterns = (textsOf(value) ?? []).flatMap((each) => meeting(each.toLowerCase(), pattern, bound));
    } else if (key === "method") {
      const said = exact === null || exact.includes("*") ? null : methodsOf([exact], bound);
      if (said?.values.length === 1) methods = said.values;
      else if (bound === "within") return odd;
    } else if (key === "uri") {
      const said = pathOf(value, match?.ignoreUriCase === true, bound);
      if (said !== "any" && said !== null) paths = [said];
      else if (said === null && bound === "within") return odd;
    } else if (key === "headers") {
      for (const [name, condition] of Object.entries(value as object)) {
        const text = textOf(condition, "exact");
        const said = text === null || !isHeader(name) ? null : headerValuesOf([text], "within")?.values;
        if (said?.length === 1) headers.push([name.toLowerCase(), said]);
        else if (bound === "within") return { ok: false, what: `header \`${name}\`` };
      }
    } else if (key !== "ignoreUriCase" && bound === "within") return odd;
  }
  if (seat.kind === "tls" && !isSaid(match?.sniHosts) && bound === "within")
    return { ok: false, what: "no `sniHosts`" };
  const asked = headers.length === 0 ? null : Object.fromEntries(headers);
  return { ok: true, passages: patterns.map((each) => ({ from, pattern: each, methods, paths, headers: asked })) };
}

/** What a host of Istio and a pattern have in common. */
function meeting(host: string, pattern: HostPattern, bound: Bound): readonly HostPattern[] {
  const isOdd = host.startsWith("*") && !host.startsWith("*.");
  if (host === "*" || (isOdd && bound === "around")) return [pattern];
  if (!patternsMeet(host, pattern)) return [];
  return [patternCovers(host, pattern) ? pattern : host];
}

/** A path pattern; `any` = every path; null = no pattern says it. */
function pathOf(value: unknown, anyCase: boolean, bound: Bound): string | "any" | null {
  const exact = textOf(value, "exact");
  const prefix = textOf(value, "prefix");
  if (prefix === "/") return "any";
  const literal = exact ?? prefix;
  if (literal === null || /[*{}?#]/.test(literal) || (anyCase && bound === "around")) return null;
  const said = pathsOf([exact === null ? `${literal}*` : literal], "within");
  return said?.values[0] ?? null;
}

function isHeader(name: string): boolean {
  return /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/.test(name) && name.toLowerCase() !== "host";
}

function textOf(value: unknown, key: "exact" | "prefix"): string | null {
  const text = (value as Readonly<Record<string, unknown>> | null)?.[key];
  return typeof text === "string" && text !== "" ? text : null;
}

function textsOf(value: unknown): readonly string[] | null {
  return Array.isArray(value) && value.every((each) => typeof each === "string") ? value : null;
}

import { patternCovers } from "../../policy/host-pattern.ts";
import type { HostPattern } from "../../policy/model.ts";
import type { Seat } from "./route-match.ts";
import { isSaid, type Leg, type Route } from "./route-schema.ts";

/** Where a route leads. */
export type Leads =
  /** To the host that was asked for. */
  | { readonly to: "host" }
  /** To the egress gateway; port null = whatever the gateway's service has. */
  | { readonly to: "gateway"; readonly port: number | null }
  | { readonly to: "nowhere"; readonly why: string };

/** What there is to lead to. */
export interface Destinations {
  readonly gateway: { readonly namespace: string; readonly name: string };
  /** The ports of each registered host. */
  readonly ports: ReadonlyMap<string, ReadonlySet<number>>;
  /** Subsets without labels: those with some may be empty. */
  readonly hasSubset: (host: string, subset: string) => boolean;
}

/** What a route may say besides its conditions without stopping or changing anything. */
const HARMLESS: ReadonlySet<string> = new Set([
  ...["name", "match", "route", "timeout", "retries"],
  ...["mirror", "mirrors", "mirrorPercent", "mirrorPercentage"],
]);

/** Where a route takes traffic for a claim. A part of it that leads elsewhere, some of the time, counts for the whole. */
export function leadsOf(
  route: Route,
  { pattern, seat, namespace }: { readonly pattern: HostPattern; readonly seat: Seat; readonly namespace: string },
  there: Destinations,
): Leads {
  const odd = Object.entries(route).find(([key, value]) => isSaid(value) && !isHarmless(key, value))?.[0];
  if (odd !== undefined) return { to: "nowhere", why: `\`${odd}\`` };
  const legs = route.route ?? [];
  const taken = legs.length > 1 ? legs.filter(({ weight }) => weight !== 0 && weight !== undefined) : legs;
  const [first, ...others] = taken.map((leg) => legOf(leg, { pattern, seat, namespace }, there));
  if (first === undefined) return { to: "nowhere", why: "no destination" };
  const other = others.find((each) => JSON.stringify(each) !== JSON.stringify(first));
  if (other === undefined) return first;
  return other.to === "nowhere" ? other : { to: "nowhere", why: "destinations of several kinds" };
}

function isHarmless(key: string, value: unknown): boolean {
  if (key === "fault") {
    const { abort, ...others } = value as { abort?: { percentage?: { value?: unknown } } };
    const never = abort === undefined || abort.percentage?.value === 0;
    return never && Object.keys(others).every((each) => each === "delay");
  }
  if (key === "headers")
    return Object.entries(value as object).every(([at, each]) => at === "response" || !isSaid(each));
  return HARMLESS.has(key);
}

function legOf(
  { destination, ...leg }: Leg,
  { pattern, seat, namespace }: { readonly pattern: HostPattern; readonly seat: Seat; readonly namespace: string },
  { gateway, ports, hasSubset }: Destinations,
): Leads {
  const headers = (leg as { headers?: unknown }).headers;
  if (isSaid(headers) && !isHarmless("headers", headers)) return { to: "nowhere", why: "`headers`" };
  if (destination === undefined) return { to: "nowhere", why: "no destination" };
  const host = destination.host.toLowerCase();
  if (destination.subset !== undefined && destination.subset !== "" && !hasSubset(host, destination.subset)) {
    return { to: "nowhere", why: `subset \`${destination.subset}\` of \`${host}\`` };
  }
  const number = destination.port?.number;
  const own = ports.get(host);
  if (own !== undefined) {
    const [only] = own.size === 1 ? own : [];
    if (!patternCovers(host, pattern)) return { to: "nowhere", why: `\`${host}\`, which is another host` };
    const port = number ?? only ?? seat.port;
    return own.has(port)
      ? { to: "host" }
      : { to: "nowhere", why: `port ${port} of \`${host}\`, which is not registered` };
  }
  const [name, at = namespace, ...rest] = host.split(".");
  const isService = ["", "svc", "svc.cluster.local"].includes(rest.join("."));
  const isGateway = name === gateway.name || name === "istio-egressgateway";
  if (seat.gateway === null && isService && isGateway && at === gateway.namespace) {
    return { to: "gateway", port: number ?? null };
  }
  return { to: "nowhere", why: `\`${host}\`` };
}

import type { z } from "zod";
import { patternCovers } from "../../policy/host-pattern.ts";
import type { SourcePosition } from "../../policy/model.ts";
import type { Claim } from "../draft.ts";
import { patternsMeet } from "../hosts.ts";
import type { ObjectOf } from "../read-objects.ts";
import { isRequests } from "../registry.ts";
import type { Identities } from "./approximate.ts";
import type { Note } from "./mesh.ts";
import { type Destinations, type Leads, leadsOf } from "./route-destination.ts";
import { gatewayNamed, mayHoldAt, type Passage, passageOf, type Seat, STATIC } from "./route-match.ts";
import { isSaid, type Route, type RouteMatch, type Server, type virtualService } from "./route-schema.ts";

export type VirtualService = ObjectOf<z.output<typeof virtualService>>;

/** A Gateway that is the egress gateway's. */
export interface Entrance {
  /** `namespace/name`. */
  readonly name: string;
  readonly namespace: string;
  readonly servers: readonly Server[];
}

/** What routes let through to a claim. */
export interface RouteBound {
  readonly passages: readonly (Passage & { readonly anonymous: boolean })[];
  /** What they stop of it. */
  readonly stops: readonly (Passage & { readonly name: string; readonly at: SourcePosition })[];
}

export interface Routes {
  readonly services: readonly VirtualService[];
  readonly entrances: readonly Entrance[];
  readonly there: Destinations;
  readonly identities: Identities;
  /** Somebody says of these that they refuse nothing. */
  readonly isAssumed: (service: VirtualService) => boolean;
  readonly note: Note;
}

/**
 * Bounds that VirtualServices lay on a claim, each of which holds: those of the sidecars, and where these send it to the gateway,
 * those of the servers there. A claim of which no route speaks is dialled by the sidecars themselves.
 */
export function routeBoundsOf(claim: Claim, routes: Routes): readonly RouteBound[] {
  const seat: Seat = {
    kind: isRequests(claim) ? "http" : claim.protocol === "TLS" ? "tls" : "tcp",
    gateway: null,
    port: claim.port,
  };
  const arrivals = new Set<number | null>();
  const bounds: RouteBound[] = [];
  for (const service of routes.services) {
    const { hosts = [], gateways = ["mesh"] } = service.spec;
    if (!gateways.includes("mesh") && gateways.length > 0) continue;
    // Of connections, one route for a part of a wildcard leaves the rest of it without one.
    const isFor = (host: string): boolean =>
      mayCover(host, claim) || (seat.kind !== "http" && patternsMeet(host, claim.apart ?? claim.pattern));
    if (!hosts.some(isFor)) continue;
    const entries = entriesOf(service, seat, claim, routes);
    if (entries.length === 0) continue;
    for (const { leads } of entries) if (leads.to === "gateway") arrivals.add(leads.port);
    bounds.push(boundOf([entries], seat, claim, false, routes));
  }
  if (bounds.length > 1) tellOfSeveral(claim, "the sidecars", routes);
  for (const arrival of arrivals) bounds.push(...atGateway(arrival, claim, routes));
  return bounds;
}

/** The bounds at the gateway, of the port that a route leads to, or of each where it names none. */
function atGateway(arrival: number | null, claim: Claim, routes: Routes): readonly RouteBound[] {
  const all = routes.entrances.flatMap(({ servers }) => servers.map(({ port }) => port.number));
  const ports = arrival === null ? [...new Set(all)] : [arrival];
  const shut: RouteBound = { passages: [], stops: [] };
  if (ports.length === 0) {
    tellOfNone(claim, "the gateway", routes);
    return [shut];
  }
  return ports.flatMap((port) => {
    const bounds = atServers(port, claim, routes);
    if (bounds.length > 0) return bounds;
    tellOfNone(claim, `port ${port} of the gateway`, routes);
    return [shut];
  });
}

function tellOfSeveral({ pattern, at }: Claim, where: string, { note }: Routes): void {
  note(
    "route-narrowed",
    at,
    `several VirtualServices are for \`${pattern}\` at ${where}: only what all of them take is opened`,
  );
}

function tellOfNone({ pattern, at }: Claim, where: string, { note }: Routes): void {
  note("route-narrowed", at, `\`${pattern}\` is sent to ${where}, where no server and no route takes it: not opened`);
}

/** One bound for each way to write the host, since the most specific one decides. None = no route is for the claim. */
function atServers(port: number, claim: Claim, routes: Routes): readonly RouteBound[] {
  const byHost = new Map<string, { anonymous: boolean; seat: Seat; lists: (readonly Entry[])[] }>();
  for (const { name, namespace, servers } of routes.entrances) {
    for (const server of servers) {
      const kind = kindOf(server, claim);
      if (server.port.number !== port || kind === null) continue;
      const seat: Seat = { kind, gateway: name, port };
      for (const service of routes.services) {
        const { hosts = [], gateways = [] } = service.spec;
        if (!gateways.some((each) => gatewayNamed(each, service.namespace) === name)) continue;
        if (!server.hosts.some((each) => serves(each, { gateway: namespace, service: service.namespace }, claim)))
          continue;
        for (const host of hosts.filter((each) => mayCover(each, claim))) {
          const group = byHost.get(host) ?? { anonymous: false, seat, lists: [] };
          byHost.set(host, group);
          group.anonymous ||= server.tls?.mode !== "ISTIO_MUTUAL";
          group.lists.push(entriesOf(service, seat, claim, routes));
        }
      }
    }
  }
  if (![...byHost.keys()].some((host) => covers(host, claim))) return [];
  if (byHost.size > 1) tellOfSeveral(claim, `port ${port} of the gateway`, routes);
  return [...byHost.values()].map(({ anonymous, seat, lists }) => boundOf(lists, seat, claim, anonymous, routes));
}

interface Entry {
  readonly match: RouteMatch | null;
  readonly leads: Leads;
  readonly service: VirtualService;
  readonly at: SourcePosition;
}

/** The ways into the routes of a VirtualService that may hold at a seat, in their order. */
function entriesOf(service: VirtualService, seat: Seat, { pattern }: Claim, routes: Routes): readonly Entry[] {
  const { namespace } = service;
  const list: readonly Route[] = service.spec[seat.kind] ?? [];
  const entries = list.flatMap((route, i) => {
    const leads = leadsOf(route, { pattern, seat, namespace }, routes.there);
    // A route of TLS without a match takes nothing.
    const none = seat.kind === "tls" ? [] : [null];
    const matches = (route.match ?? []).length === 0 ? none : (route.match ?? []);
    return matches
      .filter((match) => mayHoldAt(match, seat, namespace))
      .map((match): Entry => ({ match, leads, service, at: service.at(seat.kind, i) }));
  });
  const last = entries.findIndex(({ match }) =>
    Object.entries(match ?? {}).every(([key, value]) => STATIC.has(key) || !isSaid(value)),
  );
  if (entries.length === 0 || !routes.isAssumed(service)) return last < 0 ? entries : entries.slice(0, last + 1);
  const way = entries.find(({ leads }) => leads.to === "gateway") ?? entries[0];
  const leads: Leads = way?.leads.to === "gateway" ? way.leads : { to: "host" };
  const match = seat.kind === "tls" ? { sniHosts: ["*"] } : null;
  return [{ match, leads, service, at: service.at() }];
}

/** What lists of routes, one after the other in an order that is not known, let through: the first that holds decides within each. */
function boundOf(
  lists: readonly (readonly Entry[])[],
  seat: Seat,
  { pattern, port }: Claim,
  anonymous: boolean,
  { identities, note }: Routes,
): RouteBound {
  const passages: RouteBound["passages"][number][] = [];
  const stops: RouteBound["stops"][number][] = [];
  const leadsOn = ({ leads }: Entry): boolean => leads.to !== "nowhere";
  for (const list of lists) {
    const others = lists.some((each) => each !== list && each.some(leadsOn));
    for (const [i, entry] of list.entries()) {
      const { match, leads, service, at } = entry;
      const place = `\`${pattern}\` on port ${port}`;
      if (leads.to !== "nowhere") {
        const read = passageOf(match, seat, pattern, "within", identities);
        if (read.ok) passages.push(...read.passages.map((each) => ({ ...each, anonymous })));
        else
          note(
            "route-narrowed",
            at,
            `a route of \`${service.name}\` asks for ${read.what}: what it takes to ${place} is not opened`,
          );
        continue;
      }
      const isLast = !others && !list.slice(i + 1).some(leadsOn);
      const what = `a route of \`${service.name}\` leads to ${leads.why}`;
      note("route-stops", at, `${what}: what it takes to ${place} is ${isLast ? "not opened" : "denied"}`);
      if (isLast) continue;
      const read = passageOf(match, seat, pattern, "around", identities);
      const all = { from: null, pattern, methods: null, paths: null, headers: null };
      for (const each of read.ok ? read.passages : [all]) stops.push({ ...each, name: service.name, at });
    }
  }
  if (passages.length === 0 && lists.flat().some(leadsOn) === false) {
    const at = lists.flat()[0]?.at;
    if (at !== undefined)
      note("route-narrowed", at, `no route takes anything to \`${pattern}\` on port ${port}: not opened`);
  }
  return { passages, stops };
}

/** Which routes a server looks at for a claim; null = it takes none of it. */
function kindOf({ port, tls, hosts: _, name: __, ...more }: Server, claim: Claim): Seat["kind"] | null {
  const { mode, httpsRedirect = false, ...others } = tls ?? {};
  const checks = Object.keys(others).some(
    (each) => !["minProtocolVersion", "maxProtocolVersion", "cipherSuites"].includes(each),
  );
  if (checks || httpsRedirect !== false || Object.values(more).some(isSaid)) return null;
  const protocol = port.protocol.toUpperCase();
  const isClear = tls === undefined;
  const isMesh = mode === "ISTIO_MUTUAL";
  if (isRequests(claim)) {
    const takes =
      (isClear && ["HTTP", "HTTP2", "GRPC", "GRPC-WEB"].includes(protocol)) || (isMesh && protocol === "HTTPS");
    return takes ? "http" : null;
  }
  if (mode === "PASSTHROUGH" && ["TLS", "HTTPS"].includes(protocol)) return claim.protocol === "TLS" ? "tls" : null;
  return (isClear && protocol === "TCP") || (isMesh && protocol === "TLS") ? "tcp" : null;
}

/** Is a host of a server, `host` or `namespace/host`, for this VirtualService and claim? */
function serves(
  text: string,
  { gateway, service }: { readonly gateway: string; readonly service: string },
  claim: Claim,
): boolean {
  const slash = text.indexOf("/");
  const where = slash < 0 ? "*" : text.slice(0, slash);
  const isThere = where === "*" || where === service || (where === "." && gateway === service);
  return isThere && covers(text.slice(slash + 1), claim);
}

/** Is a host of a VirtualService or server all of what a claim is about? */
function covers(host: string, { pattern }: Claim): boolean {
  return host === "*" || patternCovers(host.toLowerCase(), pattern);
}

/** As `covers`, where what is no name and no `*.name` may be every host. */
function mayCover(host: string, claim: Claim): boolean {
  return covers(host, claim) || (host.startsWith("*") && !host.startsWith("*."));
}

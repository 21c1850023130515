import type { z } from "zod";
import { patternCovers } from "../../policy/host-pattern.ts";
import type { HostPattern, IdentitySelector } from "../../policy/model.ts";
import { parseName } from "../../policy/token.ts";
import type { SourceProblem } from "../../policy/yaml-source.ts";
import type { Claim, DraftTls } from "../draft.ts";
import { bringHost } from "../hosts.ts";
import type { ImportCode, ImportNote } from "../note.ts";
import { protocolOf } from "../protocols.ts";
import { type ObjectOf, type ObjectSource, objectsOf } from "../read-objects.ts";
import { namespaceOf, selectorCovers } from "../subjects.ts";
import type { Identities } from "./approximate.ts";
import { originationOf } from "./origination.ts";
import { destinationRule, serviceEntry, sidecar, virtualService } from "./schema.ts";

type Entry = ObjectOf<z.output<typeof serviceEntry>>;

/** What exists outside by the mesh's registry, and who sees it. */
export interface Mesh {
  readonly claims: readonly Claim[];
  /** Of these workloads those whose sidecars know the claim; `exact` = no others do. */
  seenBy(
    claim: Claim,
    among: IdentitySelector,
  ): { readonly from: readonly IdentitySelector[]; readonly exact: boolean };
}

export type Note = (code: ImportCode, at: ImportNote["at"], message: string) => void;

/** Reads ServiceEntry, Sidecar, and of VirtualService and DestinationRule what they say of hosts outside. */
export function readMesh(
  all: readonly ObjectSource[],
  { canon }: Identities,
  problems: SourceProblem[],
  note: Note,
): Mesh {
  const read = <S extends z.ZodType>(kind: string, schema: S): readonly ObjectOf<z.output<S>>[] => {
    const found = objectsOf(all, "networking.istio.io", kind, schema);
    problems.push(...found.problems);
    return found.objects;
  };
  const entries = read("ServiceEntry", serviceEntry);
  const sidecars = read("Sidecar", sidecar);
  const routes = read("VirtualService", virtualService);
  const rules = read("DestinationRule", destinationRule);
  const owners = new Map<Claim, Entry>();
  for (const entry of entries) {
    const { hosts, ports, location, addresses, endpoints, workloadSelector } = entry.spec;
    if (location === "MESH_INTERNAL") {
      note("inside-the-mesh", entry.at(), `ServiceEntry \`${entry.name}\` is about workloads of the mesh: left out`);
      continue;
    }
    if (endpoints !== undefined || workloadSelector !== undefined) {
      note(
        "own-endpoints",
        entry.at(),
        `the addresses that \`${entry.name}\` names for its hosts are not carried over: names are looked up`,
      );
    }
    for (const [i, text] of hosts.entries()) {
      const host =
        text === "*"
          ? ({ ok: false, code: "host-not-expressible", why: "`*` is every host" } as const)
          : bringHost(text, canon);
      if (!host.ok) {
        note(host.code, entry.at("hosts", i), `left out: ${host.why}`);
        continue;
      }
      for (const [j, port] of (ports ?? []).entries()) {
        const at = entry.at("ports", j);
        const protocol = protocolOf(port.protocol ?? port.name?.split("-")[0] ?? "TCP");
        if (protocol === null) {
          note(
            "protocol",
            at,
            `port ${port.number} is left out: \`${port.protocol ?? port.name}\` is no protocol that is known here`,
          );
          continue;
        }
        const requests = protocol === "HTTP" || protocol === "GRPC";
        const tls: DraftTls | null = requests
          ? originationOf(host.pattern, port, rules, entry.spec.subjectAltNames ?? [], note)
          : null;
        const cidrs =
          protocol === "TCP" ? (addresses ?? []).filter((each) => /^[0-9a-fA-F.:]+(\/\d+)?$/.test(each)) : [];
        owners.set({ pattern: host.pattern, port: port.number, protocol, tls, addresses: cidrs, at }, entry);
      }
    }
  }
  const claims = [...owners.keys()];
  tellOfRoutes(routes, claims, note);
  return { claims, seenBy: (claim, among) => seenBy(claim, owners.get(claim), among, sidecars) };
}

type SidecarObject = ObjectOf<z.output<typeof sidecar>>;

/** Where a Sidecar without a selector holds for every namespace without one of its own. */
const MESH_ROOT = "istio-system";

function seenBy(
  claim: Claim,
  entry: Entry | undefined,
  among: IdentitySelector,
  sidecars: readonly SidecarObject[],
): ReturnType<Mesh["seenBy"]> {
  if (entry === undefined) return { from: [], exact: false };
  const { exportTo = [] } = entry.spec;
  const everywhere = exportTo.length === 0 || exportTo.includes("*");
  const one = namespaceOf(among);
  if (one !== null) return { from: isSeenIn(one, claim, entry, everywhere, sidecars) ? [among] : [], exact: true };
  if (everywhere && sidecars.every((each) => sees(each, claim, entry, each.namespace)))
    return { from: [among], exact: true };
  // Whoever is meant may be in any namespace: those that are named here can be told one by one.
  const named = [
    ...exportTo.map((each) => (each === "." ? entry.namespace : each)),
    ...sidecars.map((each) => each.namespace),
  ];
  const from = [...new Set(named)]
    .filter((each) => parseName(each).ok)
    .map((namespace): IdentitySelector => ({ kind: "namespace", namespace }))
    .filter((each) => selectorCovers(among, each))
    .filter((each) => isSeenIn(namespaceOf(each) ?? "", claim, entry, everywhere, sidecars));
  return { from, exact: !everywhere };
}

function isSeenIn(
  namespace: string,
  claim: Claim,
  entry: Entry,
  everywhere: boolean,
  sidecars: readonly SidecarObject[],
): boolean {
  const { exportTo = [] } = entry.spec;
  if (!everywhere && !exportTo.some((each) => each === namespace || (each === "." && entry.namespace === namespace))) {
    return false;
  }
  const own = sidecars.filter((each) => each.namespace === namespace);
  const isWhole = ({ spec }: SidecarObject): boolean => spec.workloadSelector === undefined;
  const root = own.some(isWhole) ? [] : sidecars.filter((each) => each.namespace === MESH_ROOT && isWhole(each));
  // A Sidecar for some pods bounds all: which accounts they have is not known.
  return [...own, ...root].every((each) => sees(each, claim, entry, namespace));
}

function sees({ spec }: SidecarObject, claim: Claim, entry: Entry, namespace: string): boolean {
  if (spec.egress === undefined) return true;
  return spec.egress.some(
    ({ port, hosts }) =>
      (port?.number === undefined || port.number === claim.port) &&
      hosts.some((each) => {
        const slash = each.indexOf("/");
        const where = slash < 0 ? "*" : each.slice(0, slash);
        const name = each.slice(slash + 1);
        const there = where === "*" || where === entry.namespace || (where === "." && entry.namespace === namespace);
        return there && (name === "*" || patternCovers(name as HostPattern, claim.pattern));
      }),
  );
}

type Route = ObjectOf<z.output<typeof virtualService>>;

/** What VirtualServices stop is not read, and what they do not bring to a gateway nobody asks about today. */
function tellOfRoutes(routes: readonly Route[], claims: readonly Claim[], note: Note): void {
  const isOutside = (host: string): boolean =>
    claims.some(({ pattern }) => patternCovers(pattern, host) || patternCovers(host, pattern));
  const routed: string[] = [];
  for (const route of routes) {
    const { hosts = [], gateways = [], http = [] } = route.spec;
    if (!hosts.some(isOutside)) continue;
    if (gateways.some((each) => each !== "mesh")) routed.push(...hosts);
    for (const [i, { match = [], fault, redirect, directResponse, rewrite }] of http.entries()) {
      const asks = match.some((each) =>
        Object.keys(each).some((key) => !["port", "gateways", "name", "authority"].includes(key)),
      );
      if (!asks && [fault, redirect, directResponse, rewrite].every((each) => each === undefined)) continue;
      const message = `a route of \`${route.name}\` looks at requests or answers itself, and may stop some: it is not read`;
      note("route-not-read", route.at("http", i), message);
    }
  }
  if (routes.length === 0) return;
  const told = new Set<string>();
  for (const { pattern, at } of claims) {
    if (told.has(pattern) || routed.some((host) => patternCovers(host, pattern))) continue;
    told.add(pattern);
    note(
      "not-through-gateway",
      at,
      `no route brings \`${pattern}\` to a gateway, so nobody asks about it today: here rules decide`,
    );
  }
}

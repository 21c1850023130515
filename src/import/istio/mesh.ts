import type { z } from "zod";
import type { Canonicaliser } from "../../policy/canonicaliser.ts";
import { patternCovers } from "../../policy/host-pattern.ts";
import type { IdentitySelector } from "../../policy/model.ts";
import type { SourceProblem } from "../../policy/yaml-source.ts";
import type { Claim, DraftTls } from "../draft.ts";
import { bringHost, patternsMeet } from "../hosts.ts";
import type { ImportCode, ImportNote } from "../note.ts";
import { protocolOf } from "../protocols.ts";
import { type ObjectOf, type ObjectSource, objectsOf } from "../read-objects.ts";
import { isRequests } from "../registry.ts";
import type { Identities } from "./approximate.ts";
import { originationOf } from "./origination.ts";
import { virtualService } from "./route-schema.ts";
import type { VirtualService } from "./routes.ts";
import { destinationRule, serviceEntry, sidecar } from "./schema.ts";
import { type Entry, seenBy } from "./visibility.ts";

/** What exists outside by the mesh's registry, who sees it, and how it is reached. */
export interface Mesh {
  readonly claims: readonly Claim[];
  readonly entries: readonly Entry[];
  readonly services: readonly VirtualService[];
  readonly rules: readonly ObjectOf<z.output<typeof destinationRule>>[];
  entryOf(claim: Claim): Entry | null;
  /** Of these workloads those whose sidecars know the claim; `exact` = no others do. */
  seenBy(
    claim: Claim,
    among: IdentitySelector,
  ): { readonly from: readonly IdentitySelector[]; readonly exact: boolean };
}

export type Note = (code: ImportCode, at: ImportNote["at"], message: string) => void;

/** Reads ServiceEntry, Sidecar, VirtualService and DestinationRule. */
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
  const routed = read("VirtualService", virtualService);
  const rules = read("DestinationRule", destinationRule);
  const owners = new Map<Claim, Entry>();
  for (const entry of entries) {
    const { hosts, ports, location, addresses } = entry.spec;
    if (location === "MESH_INTERNAL") {
      note("inside-the-mesh", entry.at(), `ServiceEntry \`${entry.name}\` is about workloads of the mesh: left out`);
      continue;
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
        const tls: DraftTls | null = isRequests({ protocol })
          ? originationOf(host.pattern, port, rules, entry.spec.subjectAltNames ?? [], note)
          : null;
        const cidrs =
          protocol === "TCP" ? (addresses ?? []).filter((each) => /^[0-9a-fA-F.:]+(\/\d+)?$/.test(each)) : [];
        owners.set({ pattern: host.pattern, port: port.number, protocol, tls, addresses: cidrs, at }, entry);
      }
    }
  }
  const { claims, services } = toldApart([...owners.keys()], routed, canon);
  tellOfRoutes(services, [...owners.keys()], note);
  // Istio goes by the host of the entry, also for a host under it that has routes of its own.
  const ownerOf = new Map([...claims].map(([claim, original]) => [claim, { original, entry: owners.get(original) }]));
  return {
    claims: [...claims.keys()],
    entries,
    services,
    rules,
    entryOf: (claim) => ownerOf.get(claim)?.entry ?? null,
    seenBy: (claim, among) => {
      const { original, entry } = ownerOf.get(claim) ?? {};
      if (original === undefined || entry === undefined) return { from: [], exact: false };
      return seenBy(original, entry, among, sidecars);
    },
  };
}

/**
 * Claims, and for each those that it stands for: hosts under a wildcard that have routes of their own are claims of their own, so that
 * what is said of the wildcard does not open them. A host that cannot be said here stands for every one.
 */
function toldApart(
  claims: readonly Claim[],
  services: readonly VirtualService[],
  canon: Canonicaliser,
): { readonly claims: ReadonlyMap<Claim, Claim>; readonly services: readonly VirtualService[] } {
  const isUnder = (host: string, { pattern }: Claim): boolean => host !== pattern && patternCovers(pattern, host);
  const names = new Map<string, string>();
  for (const text of services.flatMap(({ spec }) => spec.hosts ?? [])) {
    if (!claims.some((claim) => isUnder(text.toLowerCase(), claim))) continue;
    const host = bringHost(text.toLowerCase(), canon);
    names.set(text, host.ok ? host.pattern : "*?");
  }
  const named = services.map((each) => {
    const hosts = (each.spec.hosts ?? []).map((host) => names.get(host) ?? host.toLowerCase());
    return { ...each, spec: { ...each.spec, hosts } };
  });
  const routed = [...new Set(named.flatMap(({ spec }) => spec.hosts))];
  const found = new Map<Claim, Claim>();
  for (const claim of claims) {
    const apart = routed.some((host) => patternsMeet(host, claim.pattern));
    found.set(apart ? { ...claim, apart: claim.pattern } : claim, claim);
    for (const pattern of routed.filter((host) => isUnder(host, claim))) {
      found.set({ ...claim, pattern, apart: claim.pattern }, claim);
    }
  }
  return { claims: found, services: named };
}

/** What no VirtualService brings to a gateway, nobody asks about today. */
function tellOfRoutes(services: readonly VirtualService[], claims: readonly Claim[], note: Note): void {
  const routed = services
    .filter(({ spec }) => (spec.gateways ?? []).some((each) => each !== "mesh"))
    .flatMap(({ spec }) => spec.hosts ?? []);
  if (services.length === 0) return;
  const told = new Set<string>();
  for (const { pattern, at } of claims) {
    if (told.has(pattern) || routed.some((host) => patternCovers(host, pattern))) continue;
    told.add(pattern);
    const message = `no route brings \`${pattern}\` to a gateway, so nobody asks about it today: here rules decide`;
    note("not-through-gateway", at, message);
  }
}

import type { SeenRequest } from "../../src/cli/demo/upstream.ts";
import type { ExternalService } from "../../src/policy/model.ts";
import type { Target } from "../support/reach.ts";
import type { MeshSet } from "./mesh-set.ts";

/** The service that owns a target's port. */
function ownerOf({ set }: MeshSet, { host, port }: Target): ExternalService | undefined {
  return set.services.find(
    ({ hosts, ports }) =>
      hosts.some((each) => each === host || (each.startsWith("*.") && host.endsWith(each.slice(1)))) &&
      ports.some(({ number }) => number === port.number),
  );
}

function hostsOf({ set }: MeshSet, names: readonly string[]): readonly string[] {
  return set.services.filter(({ name }) => names.includes(name)).flatMap(({ hosts }) => hosts);
}

/** Where a target's requests are to be seen: each destination of its weights, and its mirror. */
function destinations(
  mesh: MeshSet,
  target: Target,
): { readonly named: readonly string[]; readonly copies: readonly string[] } {
  const service = ownerOf(mesh, target);
  const split = service?.split ?? [];
  const named =
    split.length === 0
      ? [target.host]
      : hostsOf(
          mesh,
          split.map(({ service: { name } }) => name),
        );
  const mirror = service?.mirror ?? null;
  return { named, copies: mirror === null ? [] : hostsOf(mesh, [mirror.service.name]) };
}

/** Destinations of weights that have seen nothing so far. */
export function missing(mesh: MeshSet, target: Target, requests: readonly SeenRequest[]): readonly string[] {
  if ((ownerOf(mesh, target)?.split.length ?? 0) === 0 || target.upgrade !== null) return [];
  return destinations(mesh, target).named.filter((name) => !requests.some(({ sni }) => sni === name));
}

/** The name said in TLS, the name asked for, and the certificate shown must be those of this target. */
export function saidOutside(mesh: MeshSet, target: Target, requests: readonly SeenRequest[]): readonly string[] {
  if (requests.length === 0) return ["the outside saw no request"];
  const problems = missing(mesh, target, requests).map((name) => `${name} was never chosen by its weight`);
  const { named, copies } = destinations(mesh, target);
  const tls = ownerOf(mesh, target)?.tls ?? null;
  const isTls = target.port.protocol === "TLS" || target.port.protocol === "HTTPS";
  const isEncrypted = isTls || (tls !== null && tls.originate !== "none");
  for (const { sni, host, client } of requests) {
    if (!isEncrypted && sni !== null) problems.push(`the outside was called ${sni}, where no TLS is to be spoken`);
    if (isEncrypted && (sni === null || ![...named, ...copies].includes(sni)))
      problems.push(`the outside was called ${sni}, expected ${[...named, ...copies].join(" or ")}`);
    if (sni !== null && named.includes(sni) && host.replace(/:\d+$/, "") !== sni)
      problems.push(`${sni} was asked for ${host}`);
    const expected = !isTls && tls?.credentialName != null ? "DNS:partner-client" : null;
    if (client !== expected) problems.push(`the outside was shown ${client}, expected ${expected}`);
  }
  if (target.upgrade === null)
    for (const copy of copies) if (!requests.some(({ sni }) => sni === copy)) problems.push(`${copy} saw no copy`);
  return problems;
}

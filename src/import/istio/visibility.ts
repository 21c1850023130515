import type { z } from "zod";
import { patternCovers } from "../../policy/host-pattern.ts";
import type { IdentitySelector } from "../../policy/model.ts";
import { parseName } from "../../policy/token.ts";
import type { Claim } from "../draft.ts";
import type { ObjectOf } from "../read-objects.ts";
import { namespaceOf, selectorCovers } from "../subjects.ts";
import { MESH_ROOT } from "./gateway.ts";
import type { serviceEntry, sidecar } from "./schema.ts";

export type Entry = ObjectOf<z.output<typeof serviceEntry>>;
export type SidecarObject = ObjectOf<z.output<typeof sidecar>>;

/** Of workloads those whose sidecars know a host and port of an entry. A Sidecar for some pods bounds the whole namespace. */
export function seenBy(
  claim: Claim,
  entry: Entry,
  among: IdentitySelector,
  sidecars: readonly SidecarObject[],
): { readonly from: readonly IdentitySelector[]; readonly exact: boolean } {
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
    ({ port, hosts, bind, captureMode }) =>
      // What is not captured, applications would have to dial at the sidecar itself.
      (bind === undefined || bind === "") &&
      captureMode !== "NONE" &&
      (port?.number === undefined || port.number === claim.port) &&
      hosts.some((each) => {
        const slash = each.indexOf("/");
        const where = slash < 0 ? "*" : each.slice(0, slash);
        const name = each.slice(slash + 1);
        const there = where === "*" || where === entry.namespace || (where === "." && entry.namespace === namespace);
        return there && (name === "*" || patternCovers(name, claim.pattern));
      }),
  );
}

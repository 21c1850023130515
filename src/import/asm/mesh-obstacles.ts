import type { z } from "zod";
import type { SourceProblem } from "../../policy/yaml-source.ts";
import { patternsMeet } from "../hosts.ts";
import { namespaceOf, servedThrough, type Way } from "../istio/extensions.ts";
import { holdsAt } from "../istio/gateway.ts";
import { virtualService } from "../istio/route-schema.ts";
import { authorizationPolicy, destinationRule, sidecar } from "../istio/schema.ts";
import { type ObjectOf, type ObjectSource, objectsOf } from "../read-objects.ts";
import type { Obstacle, Withheld } from "../withheld.ts";

/**
 * Istio's own objects beside the policies of ASM, which may stop more than these: AuthorizationPolicies of the gateway, routes and
 * tunnels of the hosts, Sidecars that list what is seen. None of them is read here, so what they may touch is withheld.
 */
export function meshObstacles(all: readonly ObjectSource[], way: Way, problems: SourceProblem[]): readonly Obstacle[] {
  const read = <S extends z.ZodType>(group: string, kind: string, schema: S): readonly ObjectOf<z.output<S>>[] => {
    const found = objectsOf(all, group, kind, schema);
    problems.push(...found.problems);
    return found.objects;
  };
  const obstacle = (object: ObjectOf<unknown>, ...parts: readonly Pick<Withheld, "from" | "hosts">[]): Obstacle => ({
    object,
    withheld: parts
      .filter(({ from, hosts }) => from?.length !== 0 && hosts?.length !== 0)
      .map((each) => ({ ...each, name: object.name, traffic: null, at: object.at() })),
  });
  const hostsMet = (hosts: readonly string[]): readonly string[] => {
    const names = hosts.map((each) => each.toLowerCase());
    const isMet = (host: string): boolean =>
      names.some((each) => patternsMeet(each, host) || (each.startsWith("*") && !each.startsWith("*.")));
    return [...new Set(way.claims.map(({ pattern }) => pattern).filter(isMet))];
  };
  return [
    ...read("security.istio.io", "AuthorizationPolicy", authorizationPolicy).map((object) => {
      const { action, targetRef, targetRefs = [] } = object.spec;
      if (action === "AUDIT" || object.annotations["istio.io/dry-run"] === "true") return obstacle(object);
      if (holdsAt(object, way.gateway) !== "no") return obstacle(object, { from: null, hosts: null });
      const targets = targetRef === undefined ? targetRefs : [targetRef, ...targetRefs];
      return obstacle(object, { from: null, hosts: servedThrough(targets, object.namespace, way) });
    }),
    ...read("networking.istio.io", "VirtualService", virtualService).map((object) =>
      obstacle(object, { from: null, hosts: hostsMet(object.spec.hosts ?? []) }),
    ),
    ...read("networking.istio.io", "DestinationRule", destinationRule)
      .filter(({ spec }) =>
        [spec, ...(spec.subsets ?? [])].some(({ trafficPolicy }) => trafficPolicy?.tunnel !== undefined),
      )
      .map((object) => obstacle(object, { from: null, hosts: hostsMet([object.spec.host]) })),
    ...read("networking.istio.io", "Sidecar", sidecar)
      .filter(({ spec }) => spec.egress !== undefined)
      .map((object) => obstacle(object, { from: namespaceOf(object.namespace, way.identities), hosts: null })),
  ];
}

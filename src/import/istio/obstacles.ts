import type { z } from "zod";
import type { SourceProblem } from "../../policy/yaml-source.ts";
import { patternsMeet } from "../hosts.ts";
import type { ImportOptions } from "../imported.ts";
import { networkObstacles } from "../network-obstacles.ts";
import type { ObjectOf, ObjectSource } from "../read-objects.ts";
import { readSelector } from "../subjects.ts";
import type { Obstacle } from "../withheld.ts";
import type { Policy } from "./authorization.ts";
import { extensionsOf, servedThrough, type Way } from "./extensions.ts";
import { isUnknownKind } from "./kinds.ts";
import type { destinationRule, serviceEntry } from "./schema.ts";

/** Objects that may refuse more than what was read of a mesh lets pass. */
export function obstaclesOf(
  all: readonly ObjectSource[],
  way: Way,
  options: ImportOptions,
  problems: SourceProblem[],
): readonly Obstacle[] {
  const wire = {
    namespace: way.gateway.namespace,
    hosts: [...new Set(way.claims.map(({ pattern }) => pattern))],
    workloadsOf: (namespace: string) => {
      const selector = readSelector({ namespace }, options.trustDomain, options.canon);
      return selector.ok ? [selector.value] : [];
    },
  };
  const unknown = all
    .filter(({ group, kind }) => isUnknownKind(group, kind))
    .map((object): Obstacle => {
      const at = object.source.position([]);
      return { object, withheld: [{ name: object.name, from: null, hosts: null, traffic: null, at }] };
    });
  return [
    ...extensionsOf(all, way, problems),
    ...networkObstacles(all, wire, problems),
    ...settingsOf(all),
    ...unknown,
  ];
}

/** Settings of the whole mesh that hide what its objects show, or give another namespace a say everywhere. */
const HIDING = /\b(defaultServiceExportTo|discoverySelectors|rootNamespace:(?!\s*["']?istio-system\b))/;

function settingsOf(all: readonly ObjectSource[]): readonly Obstacle[] {
  return all.flatMap((object): readonly Obstacle[] => {
    const { data } = (object.source.value ?? {}) as { data?: { mesh?: unknown } | null };
    if (object.group !== "" || object.kind !== "ConfigMap" || typeof data?.mesh !== "string") return [];
    if (!HIDING.test(data.mesh)) return [];
    const at = object.source.position([]);
    return [{ object, withheld: [{ name: object.name, from: null, hosts: null, traffic: null, at }] }];
  });
}

/** ServiceEntries for whose hosts somebody else answers, and DestinationRules that go through another proxy. */
export function detoursOf(
  entries: readonly ObjectOf<z.output<typeof serviceEntry>>[],
  rules: readonly ObjectOf<z.output<typeof destinationRule>>[],
  { claims, entryOf }: Way,
): readonly Obstacle[] {
  const obstacle = (object: ObjectOf<unknown>, hosts: readonly string[]): readonly Obstacle[] =>
    hosts.length === 0
      ? []
      : [{ object, withheld: [{ name: object.name, from: null, hosts, traffic: null, at: object.at() }] }];
  return [
    ...entries.flatMap((entry) => {
      const { hosts, endpoints = [], workloadSelector } = entry.spec;
      const isOwn = endpoints.every(({ address }) =>
        hosts.some((each) => each.toLowerCase() === address?.toLowerCase()),
      );
      if (isOwn && workloadSelector === undefined) return [];
      return obstacle(entry, patternsOf(claims.filter((claim) => entryOf(claim) === entry)));
    }),
    ...rules
      .filter(({ spec }) => hasTunnel(spec))
      .flatMap((rule) =>
        obstacle(rule, patternsOf(claims.filter(({ pattern }) => patternsMeet(rule.spec.host.toLowerCase(), pattern)))),
      ),
  ];
}

/** AuthorizationPolicies of waypoints elsewhere, which ServiceEntries there may be served through. */
export function waypointPolicies(policies: readonly Policy[], way: Way): readonly Obstacle[] {
  return policies.flatMap((object): readonly Obstacle[] => {
    const { namespace, name, spec, annotations } = object;
    if (namespace === way.gateway.namespace || spec.action === "AUDIT" || annotations["istio.io/dry-run"] === "true")
      return [];
    const { targetRef, targetRefs = [] } = spec;
    const hosts = servedThrough(targetRef === undefined ? targetRefs : [targetRef, ...targetRefs], namespace, way);
    if (hosts.length === 0) return [];
    return [{ object, withheld: [{ name, from: null, hosts, traffic: null, at: object.at() }] }];
  });
}

function patternsOf(claims: Way["claims"]): readonly string[] {
  return [...new Set(claims.map(({ pattern }) => pattern))];
}

function hasTunnel({ trafficPolicy, subsets = [] }: z.output<typeof destinationRule>): boolean {
  return [trafficPolicy, ...subsets.map((each) => each.trafficPolicy)].some((each) => each?.tunnel !== undefined);
}

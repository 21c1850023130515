import type { SourceProblem } from "../../policy/yaml-source.ts";
import { type ObjectSource, objectsOf } from "../read-objects.ts";
import { readSelector } from "../subjects.ts";
import { type Context, type Name, type Opening, portsOf } from "./opening.ts";
import { fqdnNetworkPolicy } from "./schema.ts";

/** Reads FQDNNetworkPolicy of GKE: what it opens by name. */
export function readGke(
  objects: readonly ObjectSource[],
  context: Context,
  problems: SourceProblem[],
): readonly Opening[] {
  const { trustDomain, canon, behind, note } = context;
  const read = objectsOf(objects, "networking.gke.io", "FQDNNetworkPolicy", fqdnNetworkPolicy);
  problems.push(...read.problems);
  return read.objects.flatMap(({ name: policy, namespace, spec, at }) => {
    const { matchLabels = {}, matchExpressions = [] } = spec.podSelector;
    const whole = readSelector({ namespace }, trustDomain, canon);
    const labelled = Object.keys(matchLabels).length > 0;
    const from =
      matchExpressions.length > 0 ? null : labelled ? behind(namespace, matchLabels) : whole.ok ? [whole.value] : null;
    if (from === null) {
      note(
        "workload-labels",
        at("podSelector"),
        `pods of \`${policy}\` are left out: \`--workloads\` names no service accounts for them`,
      );
      return [];
    }
    return (spec.egress ?? []).flatMap(({ matches, ports: list }, i): readonly Opening[] => {
      const ports = portsOf(list, context, at("egress", i));
      if (ports?.length === 0) return [];
      const names = matches.flatMap(({ name, pattern }, j) =>
        [name, pattern]
          .filter((each) => each !== undefined)
          .map((text): Name => ({ text, star: "label", at: at("egress", i, "matches", j) })),
      );
      return [{ policy, from, names, ports, at: at("egress", i) }];
    });
  });
}

import { z } from "zod";
import type { Canonicaliser } from "../policy/canonicaliser.ts";
import type { IdentitySelector } from "../policy/model.ts";
import type { PolicyFile } from "../policy/parse-cache.ts";
import type { SourceProblem } from "../policy/yaml-source.ts";
import { problemAt, readOne, readShape } from "./read-source.ts";
import { readSelector } from "./subjects.ts";

/** Labels that mean a set of pods, as a source writes them. */
export type Labels = Readonly<Record<string, string>>;

/** The service accounts behind pods that a source names by labels; null where nobody said. */
export type WorkloadsBehind = (namespace: string, labels: Labels) => readonly IdentitySelector[] | null;

const workloadsFile = z
  .array(
    z.strictObject({
      namespace: z.string(),
      labels: z.record(z.string(), z.string()),
      serviceAccounts: z.array(z.string()).min(1).max(1000),
    }),
  )
  .max(10_000);

/**
 * Reads `--workloads`: which service accounts the pods with exactly these labels in a selector have. Whoever writes it says
 * that these accounts belong to those pods alone: a workload is known by its account, not by its labels.
 */
export function readWorkloads(
  file: PolicyFile | null,
  trustDomain: string,
  canon: Canonicaliser,
): { readonly behind: WorkloadsBehind; readonly problems: readonly SourceProblem[] } {
  const found = new Map<string, readonly IdentitySelector[]>();
  const behind: WorkloadsBehind = (namespace, labels) => found.get(keyOf(namespace, labels)) ?? null;
  if (file === null) return { behind, problems: [] };
  const read = readOne(file);
  const [source] = read.objects;
  if (source === undefined) return { behind, problems: read.problems };
  const shaped = readShape(workloadsFile, source);
  const problems: SourceProblem[] = [...shaped.problems];
  for (const { value } of shaped.objects) {
    for (const [i, { namespace, labels, serviceAccounts }] of value.entries()) {
      const selectors = serviceAccounts.flatMap((name, j) => {
        const selector = readSelector({ serviceAccount: `${namespace}/${name}` }, trustDomain, canon);
        if (selector.ok) return [selector.value];
        problems.push(problemAt(source, [i, "serviceAccounts", j], "invalid-selector", selector.message, selector.fix));
        return [];
      });
      const key = keyOf(namespace, labels);
      if (found.has(key)) {
        problems.push(problemAt(source, [i], "duplicate-entry", "these labels stand in this file twice"));
      }
      found.set(key, selectors);
    }
  }
  return { behind, problems };
}

function keyOf(namespace: string, labels: Labels): string {
  return JSON.stringify([namespace, Object.entries(labels).sort()]);
}

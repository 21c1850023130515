import type { Canonicaliser } from "../../policy/canonicaliser.ts";
import { parseHostPattern } from "../../policy/host-pattern.ts";
import type { Edge } from "./gather.ts";
import { addTree, createPathTree } from "./path-tree.ts";

/** What becomes of a host: itself, or the wildcard that it went into. */
export interface LearntEdge extends Edge {
  /** Hosts that went into the wildcard, sorted; none where `host` is one. */
  readonly siblings: readonly string[];
}

/** When hosts become a wildcard. */
export interface WildcardOptions {
  /** So many hosts of one parent do; null = never. */
  readonly atLeast: number | null;
  readonly canon: Canonicaliser;
  readonly clusterDomain: string;
}

/**
 * Puts a wildcard in the place of the hosts of one workload that no service registers, have the same parent (all labels but the
 * first), and were asked for on the same port, once there are `atLeast` of them. Never over a public suffix or a guarded name.
 */
export function wildcardEdges(
  edges: readonly Edge[],
  { atLeast, canon, clusterDomain }: WildcardOptions,
): LearntEdge[] {
  const families = new Map<string, Edge[]>();
  for (const edge of edges) {
    const key = `${edge.kind} ${edge.registered ? edge.host : parentOf(edge.host)} ${edge.port} ${edge.registered}`;
    const family = families.get(key);
    if (family === undefined) families.set(key, [edge]);
    else family.push(edge);
  }
  return [...families.values()].flatMap((family): LearntEdge[] => {
    const [first] = family;
    if (first === undefined || first.registered || atLeast === null || family.length < atLeast)
      return family.map(alone);
    const pattern = `*.${parentOf(first.host)}`;
    const parsed = parseHostPattern(pattern, canon, clusterDomain);
    if (!parsed.ok || parsed.value.guarded) return family.map(alone);
    const tree = createPathTree(first.tree.mostLiterals);
    for (const edge of family) addTree(tree, edge.tree);
    return [{ ...first, host: pattern, tree, siblings: family.map(({ host }) => host).sort() }];
  });
}

function alone(edge: Edge): LearntEdge {
  return { ...edge, siblings: [] };
}

function parentOf(host: string): string {
  return host.slice(host.indexOf(".") + 1);
}

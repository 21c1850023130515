import type { Cluster } from "./cluster.ts";
import type { Tools } from "./tools.ts";

/** One thing that is held against a real cluster. */
export interface Check {
  readonly name: string;
  /** Checks share the cluster and run one after the other, so each has namespaces of its own. Returns what was seen, in a few words. @throws what is wrong */
  run(cluster: Cluster, tools: Tools): Promise<string>;
}

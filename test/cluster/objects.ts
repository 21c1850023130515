import assert from "node:assert/strict";
import type { Cluster } from "./cluster.ts";
import type { Ran } from "./run.ts";

/** Applies objects as strictly as the API server can: server-side, with unknown fields refused. */
export function apply(cluster: Cluster, objects: readonly object[], ...more: readonly string[]): Promise<Ran> {
  const stdin = JSON.stringify({ apiVersion: "v1", kind: "List", items: objects });
  return cluster.kubectl(["apply", "--server-side", "--validate=strict", "--filename=-", ...more], { stdin });
}

/** The same for what must be taken. @throws what the API server said */
export async function applied(cluster: Cluster, objects: readonly object[]): Promise<void> {
  const { code, stderr } = await apply(cluster, objects);
  assert.equal(code, 0, stderr);
}

export function namespace(name: string, labels: Readonly<Record<string, string>> = {}): object {
  return { apiVersion: "v1", kind: "Namespace", metadata: { name, labels } };
}

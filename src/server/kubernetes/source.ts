import type { Registry } from "prom-client";
import type { PolicyFile } from "../../policy/parse-cache.ts";
import type { PolicySource } from "../policy-source.ts";
import { pulledCounters, pulledGauges } from "../pulled-metrics.ts";
import { type ApiOptions, connectApi, type PolicyApi } from "./api.ts";
import { createMirror } from "./mirror.ts";
import { type PolicyObject, policyFile } from "./policy-object.ts";
import type { OwnSeat } from "./status.ts";
import { createStatusWriter } from "./status-writer.ts";

export interface KubernetesSourceOptions {
  /** The gateway's namespace: only an EgressGateway in it counts, and its objects are the security team's. */
  readonly rootNamespace: string;
  /** What this server decides by; null while it has nothing. */
  seat(): OwnSeat | null;
  now(): number;
  warn(message: string, error: unknown): void;
  readonly registry: Registry;
}

/** Follows the policies of a cluster. @throws when there is no configuration of an API server */
export async function openKubernetesSource(api: ApiOptions, options: KubernetesSourceOptions): Promise<PolicySource> {
  return createKubernetesSource(await connectApi(api), options);
}

/** Files are made once for each generation of an object. */
function createKubernetesSource(
  api: PolicyApi,
  { rootNamespace, seat, now, warn, registry }: KubernetesSourceOptions,
): PolicySource {
  let changed = (): void => {};
  let loading: readonly PolicyObject[] = [];
  let files = new Map<string, PolicyFile>();
  const mirror = createMirror(api, () => changed(), now);
  const writer = createStatusWriter({ api, rootNamespace, objects: () => mirror.objects, seat, now, warn });
  pulledGauges(registry)(
    "sallyport_policy_source_seen",
    "Whether changes of the cluster's policies are seen: 0 while the API server does not answer or refuses.",
    () => (mirror.problem === null ? 1 : 0),
  );
  pulledCounters(registry)(
    "sallyport_policy_status_failures_total",
    "Statuses of policies that could not be written.",
    () => writer.failures,
  );

  function filesOf(objects: readonly PolicyObject[]): readonly PolicyFile[] {
    const next = new Map<string, PolicyFile>();
    for (const object of objects) {
      const key = `${object.metadata.uid} ${object.metadata.generation}`;
      next.set(key, files.get(key) ?? policyFile(object, rootNamespace));
    }
    files = next;
    return [...next.values()].sort((one, other) => (one.path < other.path ? -1 : 1));
  }

  return {
    current() {
      const { objects } = mirror;
      if (objects === null)
        return { kind: "unknown", why: `the API server has not told the policies: ${mirror.problem}` };
      loading = objects;
      return { kind: "files", files: filesOf(objects) };
    },
    watch(then) {
      changed = then;
    },
    loaded(outcome) {
      writer.report(loading, outcome);
      return false;
    },
    close() {
      mirror.close();
      writer.close();
    },
  };
}

import { NAMINGS } from "../../policy/resource-definition.ts";
import { API_VERSION } from "../../policy/schema/common.ts";
import type { ResourceApi } from "./mirror.ts";
import type { PolicyObject } from "./policy-object.ts";

/** Where the API server is and who asks: a kubeconfig file, or null for the pod's own service account. */
export interface ApiOptions {
  readonly kubeconfig: string | null;
}

/** The API server, with writing of statuses. */
export interface PolicyApi extends ResourceApi {
  /** Replaces fields of an object's status as it was read. Settles with `conflict` when it has changed since, or is gone. */
  writeStatus(object: PolicyObject, status: object): Promise<"written" | "conflict">;
}

const [GROUP = "", VERSION = ""] = API_VERSION.split("/");
/** Objects come in parts of so many. */
const PAGE = 500;

/** Connects to an API server. @throws when there is no configuration to be had */
export async function connectApi({ kubeconfig }: ApiOptions): Promise<PolicyApi> {
  // It is large, and only servers that take policies from a cluster need it.
  const { ApiException, CustomObjectsApi, KubeConfig, PatchStrategy, setHeaderOptions, Watch } = await import(
    "@kubernetes/client-node"
  );
  const config = new KubeConfig();
  if (kubeconfig === null) config.loadFromCluster();
  else config.loadFromFile(kubeconfig);
  const objects = config.makeApiClient(CustomObjectsApi);
  const watch = new Watch(config);

  return {
    async list(kind) {
      const items: PolicyObject[] = [];
      for (let from: string | undefined; ; ) {
        const page: Page = await objects.listCustomObjectForAllNamespaces({
          group: GROUP,
          version: VERSION,
          resourcePlural: NAMINGS[kind].plural,
          limit: PAGE,
          ...(from === undefined ? {} : { _continue: from }),
        });
        items.push(...page.items.map((each) => ({ ...each, apiVersion: API_VERSION, kind })));
        from = page.metadata.continue || undefined;
        if (from === undefined) return { version: page.metadata.resourceVersion, items };
      }
    },
    async watch(kind, version, changed, signal) {
      const path = `/apis/${GROUP}/${VERSION}/${NAMINGS[kind].plural}`;
      await new Promise<void>((resolve, reject) => {
        const ended = (error: unknown) => (isFailure(error) ? reject(error) : resolve());
        const query = { resourceVersion: version, allowWatchBookmarks: true };
        watch
          .watch(path, query, changed, ended)
          .then((controller) => signal.addEventListener("abort", () => controller.abort(), { once: true }), reject);
      });
    },
    async writeStatus({ kind, metadata: { name, namespace, resourceVersion } }, status) {
      const at = { group: GROUP, version: VERSION, plural: NAMINGS[kind].plural, namespace, name };
      try {
        const body = { metadata: { resourceVersion }, status };
        const asMerge = setHeaderOptions("Content-Type", PatchStrategy.MergePatch);
        await objects.patchNamespacedCustomObjectStatus({ ...at, body }, asMerge);
        return "written";
      } catch (error) {
        if (error instanceof ApiException && (error.code === 409 || error.code === 404)) return "conflict";
        throw error;
      }
    },
  };
}

interface Page {
  readonly metadata: { readonly resourceVersion: string; readonly continue?: string };
  readonly items: readonly Omit<PolicyObject, "apiVersion" | "kind">[];
}

/** A connection that says nothing for half a minute, or that either side closes, has simply ended. */
function isFailure(error: unknown): boolean {
  return error !== null && error !== undefined && !["TimeoutError", "AbortError"].includes((error as Error).name);
}

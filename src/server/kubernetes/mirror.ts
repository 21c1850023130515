import { setTimeout as sleep } from "node:timers/promises";
import { RESOURCE_KINDS, type ResourceKind } from "../../policy/resource-definition.ts";
import type { PolicyObject } from "./policy-object.ts";

/** The API server, as far as it is asked. */
export interface ResourceApi {
  /** All objects of a kind in all namespaces, and the version of the list. */
  list(kind: ResourceKind): Promise<{ readonly version: string; readonly items: readonly PolicyObject[] }>;
  /** Changes since a version, until the connection ends; settles then. @throws when it cannot be had */
  watch(
    kind: ResourceKind,
    version: string,
    changed: (event: string, object: PolicyObject) => void,
    signal: AbortSignal,
  ): Promise<void>;
}

/** The objects of an API server, kept equal to what it holds. */
export interface Mirror {
  /** What was last known; null until every kind was listed once. */
  readonly objects: readonly PolicyObject[] | null;
  /** Why changes are not seen now; null while they are. */
  readonly problem: string | null;
  close(): void;
}

/** Whatever was missed is found after this time at the latest. */
const RELIST_MS = 10 * 60_000;
const RETRY_MS = { first: 500, most: 30_000 };

/**
 * Lists each kind, follows its changes from there, and goes on from the last version that was seen when a connection ends; what is too old to go on from is
 * listed anew. While the API server does not answer, or refuses, what was last known stays.
 */
export function createMirror(api: ResourceApi, changed: () => void, now: () => number = Date.now): Mirror {
  const known = new Map<ResourceKind, Map<string, PolicyObject>>();
  const problems = new Map<ResourceKind, string>(RESOURCE_KINDS.map((kind) => [kind, "it was not asked yet"]));
  const stop = new AbortController();

  function note(kind: ResourceKind, event: string, object: PolicyObject): void {
    const objects = known.get(kind);
    if (event === "DELETED") objects?.delete(object.metadata.uid);
    else if (event === "ADDED" || event === "MODIFIED") objects?.set(object.metadata.uid, object);
    else return;
    changed();
  }

  async function follow(kind: ResourceKind): Promise<void> {
    const { version, items } = await api.list(kind);
    known.set(kind, new Map(items.map((each) => [each.metadata.uid, each])));
    problems.delete(kind);
    changed();
    let at = version;
    for (const end = now() + RELIST_MS; now() < end && !stop.signal.aborted; ) {
      let isTooOld = false;
      const take = (event: string, object: PolicyObject): void => {
        if (event === "ERROR") isTooOld = true;
        else at = object.metadata.resourceVersion;
        note(kind, event, object);
      };
      await api.watch(kind, at, take, stop.signal);
      if (isTooOld) return;
    }
  }

  async function keep(kind: ResourceKind): Promise<void> {
    for (let waitMs = RETRY_MS.first; !stop.signal.aborted; ) {
      try {
        await follow(kind);
        waitMs = RETRY_MS.first;
      } catch (error) {
        if (stop.signal.aborted) return;
        problems.set(kind, `${kind}: ${error instanceof Error ? error.message : String(error)}`);
        changed();
        await sleep(waitMs, undefined, { ref: false, signal: stop.signal }).catch(() => {});
        waitMs = Math.min(waitMs * 2, RETRY_MS.most);
      }
    }
  }

  for (const kind of RESOURCE_KINDS) void keep(kind);
  return {
    get objects() {
      return known.size < RESOURCE_KINDS.length ? null : [...known.values()].flatMap((each) => [...each.values()]);
    },
    get problem() {
      return problems.size === 0 ? null : [...problems.values()].sort().join("; ");
    },
    close: () => stop.abort(),
  };
}

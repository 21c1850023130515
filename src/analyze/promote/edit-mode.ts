import { isMap, isScalar, parseAllDocuments } from "yaml";
import type { Canonicaliser } from "../../policy/canonicaliser.ts";
import { loadPolicySet } from "../../policy/load.ts";
import type { EgressPolicy, PolicySet } from "../../policy/model.ts";
import type { PolicyFile } from "../../policy/parse-cache.ts";
import { placeOf } from "../../policy/place.ts";
import { fail, ok, type Result } from "../../policy/result.ts";

/** A file before and after. */
export interface EditedFile {
  /** Relative to the policy directory, with `/`. */
  readonly path: string;
  readonly before: string;
  readonly after: string;
}

const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** What changed, and the set that the files are then. */
export interface Enforced {
  readonly files: readonly EditedFile[];
  readonly set: PolicySet;
}

/**
 * Puts `enforce` in the place of `report` in these policies, and changes no other sign of their files: comments and layout stay.
 * What comes out is read back: it must be the same set but for these modes.
 */
export function enforcePolicies(
  set: PolicySet,
  sources: readonly PolicyFile[],
  policies: readonly EgressPolicy[],
  canon: Canonicaliser,
): Result<Enforced> {
  const edited: EditedFile[] = [];
  for (const [path, list] of Map.groupBy(policies, ({ at }) => at.file)) {
    const before = decoder.decode(sources.find((each) => each.path === path)?.bytes ?? new Uint8Array());
    const after = list.reduce<string | null>(
      (text, policy) => (text === null ? null : enforced(text, policy, set)),
      before,
    );
    if (after === null)
      return fail(`${path}: the mode cannot be found where the policy is`, "write `mode: enforce` by hand");
    edited.push({ path, before, after });
  }
  const files = sources.map((file) => {
    const change = edited.find(({ path }) => path === file.path);
    return change === undefined ? file : { path: file.path, bytes: new TextEncoder().encode(change.after) };
  });
  const names = new Set(policies.map(keyOf));
  const wanted = set.policies.map((each) => (names.has(keyOf(each)) ? { ...each, mode: "enforce" as const } : each));
  const after = loadPolicySet(files, canon).set;
  if (after === null || meaning(after) !== meaning({ ...set, policies: wanted }))
    return fail("the files would say something else afterwards", "write `mode: enforce` by hand");
  return ok({ files: edited, set: after });
}

/** The text with one policy enforced; null when its mode does not stand there as `report`. */
function enforced(text: string, policy: EgressPolicy, set: PolicySet): string | null {
  const parsed = parseAllDocuments(text, { stringKeys: true, version: "1.2", schema: "core" });
  if (!Array.isArray(parsed)) return null;
  const place = placeOf(policy.at.file);
  for (const document of parsed) {
    if (!isMap(document.contents)) continue;
    const kind = document.getIn(["kind"]);
    const name = document.getIn(["metadata", "name"]);
    const namespace = document.getIn(["metadata", "namespace"]) ?? place;
    const scope = namespace === set.gateway.namespace ? "" : namespace;
    if (kind !== "EgressPolicy" || name !== policy.name || scope !== policy.scope) continue;
    const mode = document.getIn(["spec", "mode"], true);
    const [start = 0, end = 0] = (isScalar(mode) ? mode.range : null) ?? [];
    if (!/^(report|"report"|'report')$/.test(text.slice(start, end))) return null;
    return `${text.slice(0, start)}enforce${text.slice(end)}`;
  }
  return null;
}

function keyOf({ scope, name }: EgressPolicy): string {
  return `${scope}/${name}`;
}

/** All that a set says, without where it says it. */
function meaning(set: PolicySet): string {
  return JSON.stringify(set, (key, value) => (key === "at" ? undefined : value));
}

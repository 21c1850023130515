import { createHash } from "node:crypto";
import { type PolicySet, ruleId } from "../policy/model.ts";
import type { PolicyFile } from "../policy/parse-cache.ts";

/** Names that are listed; the totals count all. */
const MAX_LISTED = 100;

/** Some names and how many there are. */
interface Listed {
  readonly total: number;
  readonly names: readonly string[];
}

/** What the audit trail says of the files of a policy directory. */
export interface FilesSummary {
  /** SHA-256 over all files. */
  readonly digest: string;
  /** The first of them. */
  readonly files: readonly { readonly path: string; readonly sha256: string }[];
}

/** What the audit trail says of a policy set: enough to know from which files a revision came, and what it changed. */
export interface PolicySummary extends FilesSummary {
  readonly counts: {
    readonly files: number;
    readonly rules: number;
    readonly services: number;
    readonly groups: number;
  };
  /** Against the set before it; null when that is not known. Names are `rule team-a/policy/rule`, `service NAMESPACE/NAME`, … */
  readonly changes: { readonly added: Listed; readonly changed: Listed; readonly removed: Listed } | null;
}

/** Remembers the set before. */
export function createPolicySummary(): (files: readonly PolicyFile[], digest: string, set: PolicySet) => PolicySummary {
  let before: ReadonlyMap<string, string> | null = null;
  return (files, digest, set) => {
    const parts = partsOf(set);
    const changes = before === null ? null : changesBetween(before, parts);
    before = parts;
    return {
      ...summariseFiles(files, digest),
      counts: {
        files: files.length,
        rules: set.policies.reduce((sum, { rules }) => sum + rules.length, 0),
        services: set.services.length,
        groups: set.groups.length,
      },
      changes,
    };
  };
}

/** The digests of the files. */
export function summariseFiles(files: readonly PolicyFile[], digest: string): FilesSummary {
  return { digest, files: files.slice(0, MAX_LISTED).map(({ path, bytes }) => ({ path, sha256: sha256(bytes) })) };
}

/** Digests by name of everything that can change by itself. */
function partsOf(set: PolicySet): ReadonlyMap<string, string> {
  const parts = new Map<string, string>();
  parts.set(`gateway ${set.gateway.namespace}/${set.gateway.name}`, digestOf(set.gateway));
  for (const each of set.services) parts.set(`service ${each.scope}/${each.name}`, digestOf(each));
  for (const each of set.groups) parts.set(`group ${each.scope}/${each.name}`, digestOf(each));
  for (const { rules, ...policy } of set.policies) {
    parts.set(`policy ${policy.scope}/${policy.name}`, digestOf(policy));
    for (const rule of rules) parts.set(`rule ${ruleId(policy, rule)}`, digestOf(rule));
  }
  for (const namespace of set.invalidNamespaces) parts.set(`invalid namespace ${namespace}`, "");
  return parts;
}

function changesBetween(
  before: ReadonlyMap<string, string>,
  after: ReadonlyMap<string, string>,
): NonNullable<PolicySummary["changes"]> {
  const names = [...after.keys()];
  return {
    added: listed(names.filter((name) => !before.has(name))),
    changed: listed(names.filter((name) => before.has(name) && before.get(name) !== after.get(name))),
    removed: listed([...before.keys()].filter((name) => !after.has(name))),
  };
}

function listed(names: readonly string[]): Listed {
  return { total: names.length, names: names.slice(0, MAX_LISTED) };
}

/** Where something stands in a file says nothing about what it means. */
function digestOf(part: object): string {
  return sha256(JSON.stringify(part, (key, value) => (key === "at" ? undefined : value)));
}

function sha256(bytes: string | Uint8Array): string {
  return createHash("sha256").update(bytes).digest("hex");
}

import type { Canonicaliser } from "../policy/canonicaliser.ts";
import { parseHostPattern, patternCovers } from "../policy/host-pattern.ts";
import type { HostPattern } from "../policy/model.ts";
import type { ImportCode } from "./note.ts";

/** A host of a source as a policy writes it, or why none can. */
export type BroughtHost =
  | { readonly ok: true; readonly pattern: HostPattern }
  | { readonly ok: false; readonly code: ImportCode; readonly why: string };

/**
 * Takes a host or `*.` wildcard over: another spelling of the same host becomes the canonical one. The cluster's own
 * names are those under `cluster.local`.
 */
export function bringHost(text: string, canon: Canonicaliser): BroughtHost {
  const first = parseHostPattern(text, canon, "cluster.local");
  // With a port it would be another thing than without.
  const again = first.ok || first.fix === null || text.includes(":") ? null : first.fix;
  const parsed = again === null ? first : parseHostPattern(again, canon, "cluster.local");
  if (!parsed.ok) return { ok: false, code: "host-not-expressible", why: parsed.message };
  if (parsed.value.guarded)
    return { ok: false, code: "guarded-host", why: `\`${text}\` is an address or an internal name` };
  return { ok: true, pattern: parsed.value.pattern };
}

/** Is there a host that both match? Of two patterns one covers the other, or they have nothing in common. */
export function patternsMeet(one: HostPattern, other: HostPattern): boolean {
  return patternCovers(one, other) || patternCovers(other, one);
}

import { LIMITS } from "../../policy/limits.ts";
import { parsePathPattern } from "../../policy/path-pattern.ts";

/** Letters, digits, marks, punctuation and symbols of any script, and the plain space: nothing that breaks a line or cannot be seen. */
const VISIBLE = /^[\p{L}\p{M}\p{N}\p{P}\p{S} ]*$/u;

/**
 * The segments of a recorded path, decoded once as the engine does, if a policy can say exactly this path and no other. Null for
 * what is in doubt, was cut, cannot be seen (a space beside a slash neither), stands for bytes that are no text, or would be an operator in a pattern.
 */
export function writableSegments(path: string): readonly string[] | null {
  const decoded = decode(path);
  if (decoded === null || !VISIBLE.test(decoded) || /[*{}\ufffd]|(^|\/) | (\/|$)/.test(decoded)) return null;
  const pattern = parsePathPattern(decoded);
  if (!pattern.ok || pattern.value.kind !== "exact" || pattern.value.text !== decoded) return null;
  const segments = decoded.slice(1).split("/");
  // Each segment may become `{*}`, which can be two bytes longer.
  const longest = Buffer.byteLength(decoded) + 2 * segments.length;
  return segments.length > LIMITS.pathSegments || longest > LIMITS.pathBytes ? null : segments;
}

/** Null where an escape is none, is not UTF-8 or hides a slash. Other signs that are in doubt no pattern can hold. */
function decode(path: string): string | null {
  if (/%2f/i.test(path)) return null;
  try {
    return decodeURIComponent(path);
  } catch {
    return null;
  }
}

import type { X509Certificate } from "node:crypto";
import { singleUriSan } from "./uri-san.ts";

/** The grammar of a SPIFFE ID, dot segments aside. */
const SPIFFE_ID = /^spiffe:\/\/[a-z0-9._-]{1,255}(?:\/(?!\.{1,2}(?:\/|$))[A-Za-z0-9._-]+)*$/;

/** Says who called, or null for a caller who is not listed. */
export type CallerCheck = (certificate: X509Certificate | undefined) => string | null;

/** Whether a text may be listed as a caller: a SPIFFE ID, or one with a trailing `/*`. */
export function isCallerPattern(text: string): boolean {
  return SPIFFE_ID.test(text.endsWith("/*") ? text.slice(0, -2) : text);
}

/**
 * Admits callers by the one URI SAN of their certificate. A listed identity is exact, or ends in `/*` for one or more
 * further segments. With nothing listed nobody is admitted.
 */
export function createCallerCheck(allowedCallers: readonly string[]): CallerCheck {
  const exact = new Set(allowedCallers.filter((each) => !each.endsWith("/*")));
  const prefixes = allowedCallers.filter((each) => each.endsWith("/*")).map((each) => each.slice(0, -1));
  return (certificate) => {
    const uri = certificate === undefined ? null : singleUriSan(certificate);
    if (uri === null || !SPIFFE_ID.test(uri)) return null;
    const listed = exact.has(uri) || prefixes.some((prefix) => uri.length > prefix.length && uri.startsWith(prefix));
    return listed ? uri : null;
  };
}

import { LIMITS } from "./limits.ts";
import { fail, ok, type Result, withAcceptedFix } from "./result.ts";

/** @see RFC 9110 §5.6.2 */
const TCHAR = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;
const STANDARD_METHODS = new Set(["GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "TRACE", "PATCH"]);

/** A method token, case-sensitive; a standard method in another case is a slip. */
export function parseMethod(text: string): Result<string> {
  if (!TCHAR.test(text)) return fail(`\`${text}\` is not a method`);
  const upper = text.toUpperCase();
  if (upper === "CONNECT") return fail("`CONNECT` never passes: it would tunnel anything");
  if (upper !== text && STANDARD_METHODS.has(upper)) return fail(`methods are case-sensitive: \`${text}\``, upper);
  return ok(text);
}

/** A header name in lower case. */
export function parseHeaderName(text: string): Result<string> {
  if (!TCHAR.test(text)) return fail(`\`${text}\` is not a header name`);
  const lower = text.toLowerCase();
  if (lower !== text) return fail(`header names are written in lower case: \`${text}\``, lower);
  return ok(text);
}

/** A header value that a request can carry undoubted: no comma, no control characters, no space around it. */
export function parseHeaderValue(text: string): Result<string> {
  if (text.includes(",")) return fail(`header value \`${text}\` has a comma, which never matches`);
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control bytes are what is looked for.
  if (/[\x00-\x08\x0a-\x1f\x7f]/.test(text) || !text.isWellFormed())
    return fail("header value has a control character");
  if (text.trim() !== text) return fail(`header value \`${text}\` has space around it`, text.trim());
  return ok(text);
}

/** An upgrade protocol (`websocket`, `h2c`, `tls/1.0`) in lower case. */
export function parseUpgrade(text: string): Result<string> {
  if (!/^[!#$%&'*+\-.^_|~0-9A-Za-z/]{1,63}$/.test(text)) return fail(`\`${text}\` is not an upgrade protocol`);
  const lower = text.toLowerCase();
  if (lower === "connect") return fail("`connect` is not an upgrade: CONNECT never passes");
  return lower === text ? ok(text) : fail(`upgrades are written in lower case: \`${text}\``, lower);
}

/** A DNS-1123 label of at most 63 bytes: names of documents, namespaces, rules. */
export function parseName(text: string): Result<string> {
  return withAcceptedFix(readName(text), readName);
}

function readName(text: string): Result<string> {
  if (text.length > LIMITS.nameBytes) return fail(`name \`${text}\` is longer than ${LIMITS.nameBytes} bytes`);
  if (/^[a-z0-9]([-a-z0-9]*[a-z0-9])?$/.test(text)) return ok(text);
  const fixed = text
    .toLowerCase()
    .replace(/[^-a-z0-9]+/g, "-")
    .replace(/^-+|-+$/g, "");
  return fail(`\`${text}\` is not a name: lower-case letters, digits and \`-\``, fixed === "" ? null : fixed);
}

/** A trust domain by the SPIFFE grammar. @see SPIFFE-ID §2.1 */
export function parseTrustDomain(text: string): Result<string> {
  if (/^[a-z0-9._-]{1,255}$/.test(text)) return ok(text);
  const fixed = text
    .replace(/^spiffe:\/\//, "")
    .replace(/\/.*$/, "")
    .toLowerCase();
  return fail(`\`${text}\` is not a trust domain`, /^[a-z0-9._-]{1,255}$/.test(fixed) ? fixed : null);
}

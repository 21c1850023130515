import { fitted } from "./fitted.ts";
import { LIMITS } from "./limits.ts";
import type { PathPattern, PathSegment } from "./model.ts";
import { fail, ok, type Result, withAcceptedFix } from "./result.ts";

/**
 * Parses a path pattern: a literal, a template with `{*}` and a last `{**}`, or a prefix with a trailing `*`. `*` alone
 * is the prefix of nothing (any path). Paths are written decoded. @see docs/semantics.md §4, §7
 */
export function parsePathPattern(text: string): Result<PathPattern> {
  return withAcceptedFix(readPattern(text), readPattern);
}

function readPattern(text: string): Result<PathPattern> {
  if (text === "*") return ok({ kind: "prefix", text, prefix: "" });
  if (!text.startsWith("/")) {
    // What a leading star was to stand for, only its author knows.
    return fail(`path \`${text}\` does not start with \`/\``, text.startsWith("*") ? null : `/${text}`);
  }
  if (Buffer.byteLength(text) > LIMITS.pathBytes) return fail(`path is longer than ${LIMITS.pathBytes} bytes`);
  const problem = forbidden(text);
  if (problem !== null) return problem;
  const starred = text.endsWith("*") && !text.endsWith("}");
  const body = starred ? text.slice(0, -1) : text;
  const braces = /[{}]/.test(body);
  if (starred && braces) return fail(`path \`${text}\` mixes a template with a trailing \`*\`: end it with \`/{**}\``);
  if (!braces) {
    if (body.includes("*"))
      return fail(`path \`${text}\` has a \`*\` that is not at its end: a whole segment is \`{*}\``);
    return ok(starred ? { kind: "prefix", text, prefix: body } : { kind: "exact", text });
  }
  return parseTemplate(text);
}

function parseTemplate(text: string): Result<PathPattern> {
  const segments: PathSegment[] = [];
  const parts = text.slice(1).split("/");
  if (parts.length > LIMITS.pathSegments) return fail(`path \`${text}\` has more than ${LIMITS.pathSegments} segments`);
  for (const [index, part] of parts.entries()) {
    if (part === "{*}") segments.push({ kind: "any" });
    else if (part === "{**}") {
      if (index !== parts.length - 1) return fail(`path \`${text}\`: \`{**}\` may only be the last segment`);
      segments.push({ kind: "rest" });
    } else if (/[{}*]/.test(part)) {
      return fail(`path \`${text}\`: segment \`${part}\` mixes text and operators; \`{*}\` is a whole segment`);
    } else segments.push({ kind: "literal", text: part });
  }
  return ok({ kind: "template", text, segments: fitted(segments) });
}

/** What could never match, because a request path that has it is in doubt. */
function forbidden(text: string): Result<PathPattern> | null {
  for (const sign of ["?", "#", ";", "\\"]) {
    if (text.includes(sign)) {
      const cut = sign === "?" || sign === "#" ? text.slice(0, text.indexOf(sign)) : null;
      return fail(`path \`${text}\` has a \`${sign}\`, which never matches`, cut);
    }
  }
  if (text.includes("%")) return fail(`path \`${text}\` has a \`%\`: write paths decoded`, decoded(text));
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control bytes are what is looked for.
  if (/[\x00-\x1f\x7f]/.test(text)) return fail("path has a control character");
  if (!text.isWellFormed()) return fail("path is not valid Unicode");
  if (text.includes("//")) return fail(`path \`${text}\` has an empty segment`, text.replace(/\/{2,}/g, "/"));
  if (text.split("/").some((part) => part === "." || part === "..")) {
    return fail(`path \`${text}\` has a dot segment, which never matches`);
  }
  return null;
}

function decoded(text: string): string | null {
  try {
    const plain = decodeURIComponent(text);
    return forbidden(plain) === null ? plain : null;
  } catch {
    return null;
  }
}

import type { Canonicaliser } from "./canonicaliser.ts";
import { fail, ok, type Result } from "./result.ts";

/** An exact ID, or everything below a path. The trust domain is as written: aliases are mapped by the caller. */
export interface SpiffeSelector {
  readonly kind: "id" | "prefix";
  readonly trustDomain: string;
  readonly path: string;
}

/** Parses `spiffe://domain/path` or `spiffe://domain/path/*` (one or more segments below). A `*` anywhere else is refused. */
export function parseSpiffeSelector(text: string, canon: Canonicaliser): Result<SpiffeSelector> {
  const prefix = text.endsWith("/*");
  const body = prefix ? text.slice(0, -2) : text;
  if (body.includes("*"))
    return fail(`\`${text}\`: \`*\` may only be the last segment, as in \`spiffe://domain/path/*\``);
  const id = canon.spiffeId(body);
  if (id === null) {
    const lower = body.replace(/^spiffe:\/\/[^/]*/i, (start) => start.toLowerCase()).replace(/\/+$/, "");
    const fixed = canon.spiffeId(lower) === null ? null : `${lower}${prefix ? "/*" : ""}`;
    return fail(`\`${text}\` is not a SPIFFE ID`, fixed);
  }
  return ok({ kind: prefix ? "prefix" : "id", ...id });
}

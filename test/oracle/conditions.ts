/** The oracle, part 4: docs/semantics.md §4 with "Paths", "Headers" and "An upgrading request" of §7. */
import type { Effect, Rule, RuleTarget } from "./documents.ts";
import { headerBytes, type Request } from "./target.ts";

export type Truth = "true" | "false" | "in doubt";

/** What each condition of a target comes to; one that the target does not have is true. */
interface Truths {
  readonly methods: Truth;
  readonly paths: Truth;
  readonly headers: Readonly<Record<string, Truth>>;
}

/** Do the conditions of a target hold? They are ANDed; in doubt is false for an allow and true for a deny. */
export function conditionsHold(target: RuleTarget, request: Request, effect: Effect): boolean {
  const { methods, paths, headers } = truthsOf(target, request);
  return [methods, paths, ...Object.values(headers)].every((truth) => countsAs(truth, effect));
}

/** In doubt is false for an allow and true for a deny. */
export function countsAs(truth: Truth, effect: Effect): boolean {
  return truth === "true" || (truth === "in doubt" && effect === "deny");
}

/** The path patterns of a target; none when any path will do. */
export function pathsOf(target: RuleTarget): readonly string[] | null {
  return target.paths === undefined || target.paths.includes("*") ? null : target.paths;
}

/** What each condition of a target comes to. On TLS and TCP, method, path and headers cannot be seen. */
export function truthsOf(target: RuleTarget, request: Request): Truths {
  const { methods, headers = {} } = target;
  const paths = pathsOf(target);
  const seen = (asked: boolean, truth: () => Truth): Truth =>
    !asked ? "true" : request.kind === "http" ? truth() : "in doubt";
  return {
    methods: seen(methods !== undefined, () => (methods?.includes(request.method) ? "true" : "false")),
    paths: seen(paths !== null, () => pathTruth(paths ?? [], request.path)),
    headers: Object.fromEntries(
      Object.entries(headers).map(([name, values]) => [name, seen(true, () => headerTruth(name, values, request))]),
    ),
  };
}

function pathTruth(patterns: readonly string[], full: string): Truth {
  const raw = full.split("?")[0] ?? "";
  if (raw === "*") return "false";
  const path = decodePath(raw);
  if (path === null) return "in doubt";
  return patterns.some((pattern) => pathMatches(pattern, path)) ? "true" : "false";
}

/** The path with its escapes decoded once, or null = in doubt. */
export function decodePath(raw: string): string | null {
  const bytes = [...new TextEncoder().encode(raw)];
  if (bytes.length > 8192 || !raw.startsWith("/") || raw.includes("//") || /[;\\#]/.test(raw)) return null;
  const decoded: number[] = [];
  for (let at = 0; at < bytes.length; at++) {
    let byte = bytes[at] ?? 0;
    if (byte === 0x25) {
      const digits = String.fromCharCode(...bytes.slice(at + 1, at + 3));
      if (!/^[0-9A-Fa-f]{2}$/.test(digits)) return null;
      byte = Number.parseInt(digits, 16);
      if (byte === 0x2f || byte === 0x5c || byte === 0x25) return null;
      at += 2;
    }
    if (byte < 0x20 || byte === 0x7f) return null;
    decoded.push(byte);
  }
  const path = decodeUtf8(Uint8Array.from(decoded));
  return path === null || path.split("/").some((segment) => segment === "." || segment === "..") ? null : path;
}

function decodeUtf8(bytes: Uint8Array): string | null {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return null;
  }
}

function pathMatches(pattern: string, path: string): boolean {
  if (pattern.endsWith("*")) return path.startsWith(pattern.slice(0, -1));
  const wanted = pattern.split("/");
  const segments = path.split("/");
  const open = wanted.at(-1) === "{**}";
  if (open) wanted.pop();
  if (open ? segments.length <= wanted.length : segments.length !== wanted.length) return false;
  return wanted.every((each, index) => (each === "{*}" ? segments[index] !== "" : segments[index] === each));
}

function headerTruth(name: string, values: readonly string[], request: Request): Truth {
  const value = headerText(name, request);
  if (value === undefined) return "false";
  if (value === null) return "in doubt";
  return values.includes(value) ? "true" : "false";
}

/** The one value of a header; undefined = absent, null = in doubt. */
export function headerText(name: string, request: Request): string | null | undefined {
  const [first, ...more] = request.headers.filter(([each]) => each === name).map(([, value]) => value);
  if (first === undefined) return undefined;
  const value = typeof first === "string" ? first : decodeUtf8(first);
  return more.length > 0 || value === null || value.includes(",") ? null : value;
}

/** The upgrade a request asks for: null = none, `""` = one that no rule can name. */
export function upgradeOf(request: Request): string | null {
  if (request.kind !== "http") return null;
  const trim = (text: string) => text.replace(/^[ \t]+|[ \t]+$/g, "");
  const upgrades = headerBytes(request, "upgrade");
  const tokens = headerBytes(request, "connection").flatMap((value) => value.split(",").map(trim));
  if (upgrades.length === 0 || !tokens.some((token) => /^upgrade$/i.test(token))) return null;
  const only = upgrades.length === 1 ? trim(upgrades[0] ?? "") : "";
  return /^[A-Za-z0-9!#$%&'*+.^_|~/-]+$/.test(only) ? only.toLowerCase() : "";
}

/** Does the rule's `upgrades` let the request pass? Never asked of a deny. */
export function upgradeAllowed(rule: Rule, upgrade: string | null): boolean {
  return upgrade === null || rule.upgrades?.includes(upgrade) === true;
}

/** `notBefore ≤ now < expires`. */
export function windowOf(rule: Rule): { notBefore: number; expires: number } {
  return {
    notBefore: rule.notBefore === undefined ? Number.NEGATIVE_INFINITY : Date.parse(rule.notBefore),
    expires: rule.expires === undefined ? Number.POSITIVE_INFINITY : Date.parse(rule.expires),
  };
}

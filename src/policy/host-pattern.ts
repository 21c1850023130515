import { domainToASCII } from "node:url";
import { getPublicSuffix } from "tldts";
import type { Canonicaliser } from "./canonicaliser.ts";
import { whyRefused } from "./host-refusal.ts";
import { LIMITS } from "./limits.ts";
import type { HostPattern } from "./model.ts";
import { fail, ok, type Result, withAcceptedFix } from "./result.ts";

/** A host as a policy may write it. */
export interface ParsedHostPattern {
  readonly pattern: HostPattern;
  /** Only an internal root service may open it. Never set on wildcards over public names. */
  readonly guarded: boolean;
}

/**
 * Parses a host or a `*.` wildcard. Only the canonical spelling is accepted; for another the failure's fix is the
 * canonical one. Wildcards over everything, over a single label or over a public suffix are refused.
 */
export function parseHostPattern(text: string, canon: Canonicaliser, clusterDomain: string): Result<ParsedHostPattern> {
  // An address in brackets is quoted in a fix, since YAML would read a list.
  const again = (fix: string) => readPattern(fix.replace(/^"(.*)"$/, "$1"), canon, clusterDomain);
  return withAcceptedFix(readPattern(text, canon, clusterDomain), again);
}

function readPattern(text: string, canon: Canonicaliser, clusterDomain: string): Result<ParsedHostPattern> {
  const hint = misplaced(text);
  if (hint !== null) return fail(`\`${text}\` is not a host: ${hint}`);
  if (text === "*") return fail("`*` would open every host: name the hosts, or a wildcard such as `*.example.com`");
  const wildcard = text.startsWith("*.");
  const name = wildcard ? text.slice(2) : text;
  if (name.includes("*")) {
    return fail(`\`${text}\` has a \`*\` that is not a whole leftmost label: only \`*.name\` is a wildcard`);
  }
  // biome-ignore lint/suspicious/noControlCharactersInRegex: anything beyond ASCII needs UTS-46 first.
  const ascii = /^[\x00-\x7f]*$/.test(name) ? name : domainToASCII(name);
  const host = canon.host(ascii, clusterDomain);
  if (host === null || ascii === "") {
    const { why, fix } = whyRefused(ascii === "" ? name : ascii);
    return fail(`\`${text}\` is not a host name or address${why === "" ? "" : `: ${why}`}`, fix);
  }
  if (host.port !== null) return fail(`\`${text}\` has a port: ports go into \`ports\``, withStar(wildcard, host.host));
  if (host.host !== name) {
    return fail(`\`${text}\` is not in canonical form`, withStar(wildcard, host.host));
  }
  if (name.split(".").length > LIMITS.hostLabels) {
    return fail(`\`${text}\` has more than ${LIMITS.hostLabels} labels`);
  }
  if (!wildcard) return ok({ pattern: text, guarded: host.guarded });
  if (host.kind !== "name") return fail(`\`${text}\` is a wildcard over an address`);
  if (!name.includes(".")) return fail(`\`${text}\` would open every name under \`.${name}\``);
  if (getPublicSuffix(name, { allowPrivateDomains: true }) === name) {
    return fail(`\`${text}\` is a wildcard over the public suffix \`${name}\`: anyone can register names under it`);
  }
  return ok({ pattern: text, guarded: host.guarded });
}

function withStar(wildcard: boolean, host: string): string {
  return wildcard ? `*.${host}` : host;
}

/** Says what else was written where a host belongs. */
function misplaced(text: string): string | null {
  if (text === "") return "it is empty";
  if (text.includes("://")) return "leave out the scheme";
  if (text.includes("@")) return "leave out the user part";
  if (text.includes("/")) return "paths go into `paths`";
  return null;
}

/** Does every host that `inner` matches also match `outer`? Both canonical patterns. */
export function patternCovers(outer: HostPattern, inner: HostPattern): boolean {
  if (outer === inner) return true;
  if (!outer.startsWith("*.")) return false;
  const suffix = outer.slice(1);
  return (inner.startsWith("*.") ? inner.slice(1) : inner).endsWith(suffix) && inner.length > suffix.length;
}

/** `*.example.com` matches one or more labels to its left, never the apex. `host` is canonical. */
export function patternMatches(pattern: HostPattern, host: string): boolean {
  return patternCovers(pattern, host);
}

/** The pattern itself and every wildcard over it, most specific first. */
export function* coveringPatterns(pattern: HostPattern): Generator<HostPattern> {
  yield pattern;
  const name = pattern.startsWith("*.") ? pattern.slice(2) : pattern;
  for (let dot = name.indexOf("."); dot !== -1; dot = name.indexOf(".", dot + 1)) yield `*${name.slice(dot)}`;
}

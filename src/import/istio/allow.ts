import type { Canonicaliser } from "../../policy/canonicaliser.ts";
import type { HostPattern, IdentitySelector, SourcePosition } from "../../policy/model.ts";
import type { Claim } from "../draft.ts";
import { patternsMeet } from "../hosts.ts";
import type { ImportCode } from "../note.ts";
import { isRequests } from "../registry.ts";
import { headerValuesOf, hostsOf, type Identities, METHODS, methodsOf, pathsOf, serverNamesOf } from "./approximate.ts";
import { isOfRequests, type Match } from "./match.ts";
import { allowedSubjects, subjectsOf } from "./subjects.ts";

/** One workload selector let through to one host and port under one set of conditions. */
export interface Atom {
  readonly from: IdentitySelector;
  readonly pattern: HostPattern;
  readonly claim: Claim;
  readonly methods: readonly string[] | null;
  readonly paths: readonly string[] | null;
  readonly headers: Readonly<Record<string, readonly string[]>> | null;
  /** Does the source ask who it is? */
  readonly byName: boolean;
  readonly rule: RuleOrigin;
}

/** Where an atom comes from. */
export interface RuleOrigin {
  readonly policy: string;
  readonly name: string;
  /** Of the AuthorizationPolicy. */
  readonly namespace: string;
  readonly at: SourcePosition;
}

export type Tell = (code: ImportCode, message: string) => void;

/** What an allow lets pass, said within its bounds. */
export function atomsOf(
  match: Match,
  rule: RuleOrigin,
  claims: readonly Claim[],
  identities: Identities,
  tell: Tell,
): readonly Atom[] {
  for (const { what } of match.foreign) tell("condition-not-expressible", `an allow that asks for ${what} is left out`);
  if (match.foreign.length > 0) return [];
  const subjects = subjectsOf(match, "within", rule.namespace, identities);
  const { from, exact } = allowedSubjects(subjects, identities);
  if (subjects.any === null && !subjects.hasNone) {
    tell(
      "from-everyone",
      "an allow without `from` is for everyone, also without a certificate: here for the mesh's workloads",
    );
  }
  if (!subjects.exact || !exact) {
    tell("identity-not-expressible", "some workloads of an allow are left out: their names cannot be said here");
  }
  const conditions = conditionsOf(match, tell);
  if (conditions === null) return [];
  const ofRequests = isOfRequests(match);
  return claims.flatMap((claim): readonly Atom[] => {
    const requests = isRequests(claim);
    // The SNI of a request is that of the mesh's own TLS between sidecar and gateway, which names no host.
    if (requests && match.sni.length > 0) {
      if (serverNames(match, claim, identities.canon, tell).length > 0) {
        tell(
          "condition-not-expressible",
          "an allow by `connection.sni` is left out for requests: only connections are told by it",
        );
      }
      return [];
    }
    if (!requests && ofRequests) return [];
    const patterns = requests
      ? requestHosts(match, claim, identities.canon, tell)
      : serverNames(match, claim, identities.canon, tell);
    return patterns.flatMap((pattern) =>
      from.map((each) => ({ from: each, pattern, claim, ...conditions, byName: subjects.any !== null, rule })),
    );
  });
}

type Conditions = Pick<Atom, "methods" | "paths" | "headers">;

/** Methods, paths and headers of an allow; null when nothing can pass. */
function conditionsOf({ methods, paths, headers }: Match, tell: Tell): Conditions | null {
  if (paths.none !== null) {
    tell("condition-not-expressible", "an allow with `notPaths` is left out");
    return null;
  }
  const taken = paths.any === null ? null : pathsOf(paths.any, "within");
  if (taken?.exact === false) tell("path-not-expressible", "paths of an allow are left out: no pattern here says them");
  const allowed = methodsAllowed(methods, tell);
  const asked: [string, readonly string[]][] = [];
  for (const { name, values } of headers) {
    if (values.none !== null || values.any === null || asked.some(([other]) => other === name)) {
      tell("condition-not-expressible", `an allow that asks what header \`${name}\` is not is left out`);
      return null;
    }
    const said = headerValuesOf(values.any, "within");
    if (said?.exact === false)
      tell("condition-not-expressible", `values of header \`${name}\` are left out: only whole values are compared`);
    asked.push([name, said?.values ?? []]);
  }
  const empty = [taken?.values, allowed, ...asked.map(([, values]) => values)].some((each) => each?.length === 0);
  if (empty) return null;
  return {
    methods: allowed,
    paths: taken?.values ?? null,
    headers: asked.length === 0 ? null : Object.fromEntries(asked),
  };
}

function methodsAllowed({ any, none }: Match["methods"], tell: Tell): readonly string[] | null {
  const said = any === null ? null : methodsOf(any, "within");
  if (said?.exact === false)
    tell("method-not-expressible", "methods of an allow are left out: only whole methods are compared");
  if (none === null) return said?.values ?? null;
  const without = methodsOf(none, "around");
  if (said === null) tell("method-not-expressible", "an allow with `notMethods` is for the other standard methods");
  if (without === null) return [];
  return (said?.values ?? METHODS).filter((each) => !without.values.includes(each));
}

function requestHosts({ hosts }: Match, claim: Claim, canon: Canonicaliser, tell: Tell): readonly HostPattern[] {
  const said = hosts.any === null ? null : hostsOf(hosts.any, claim, "within", canon);
  if (said?.exact === false) tell("host-not-expressible", "hosts of an allow are left out: no pattern here says them");
  return without(
    said?.values ?? [claim.pattern],
    hosts.none,
    (none, pattern) => hostsOf(none, { pattern, port: claim.port }, "around", canon).values,
    tell,
  );
}

function serverNames({ sni }: Match, claim: Claim, canon: Canonicaliser, tell: Tell): readonly HostPattern[] {
  let patterns: readonly HostPattern[] = [claim.pattern];
  for (const { any, none } of sni) {
    patterns = patterns.flatMap((pattern) => {
      const said = any === null ? null : serverNamesOf(any, pattern, "within", canon);
      if (said?.exact === false)
        tell("host-not-expressible", "server names of an allow are left out: no pattern here says them");
      return said?.values ?? [pattern];
    });
    patterns = without(patterns, none, (list, pattern) => serverNamesOf(list, pattern, "around", canon).values, tell);
  }
  return patterns;
}

/** Patterns without those that have a host in common with an exception. */
function without(
  patterns: readonly HostPattern[],
  exceptions: readonly string[] | null,
  read: (exceptions: readonly string[], pattern: HostPattern) => readonly HostPattern[],
  tell: Tell,
): readonly HostPattern[] {
  if (exceptions === null) return patterns;
  return patterns.filter((pattern) => {
    const out = read(exceptions, pattern).filter((each) => patternsMeet(each, pattern));
    if (out.length > 0 && !out.includes(pattern)) {
      tell("host-not-expressible", `\`${pattern}\` is left out of an allow: a part of it is excepted`);
    }
    return out.length === 0;
  });
}

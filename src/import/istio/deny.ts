import { patternCovers } from "../../policy/host-pattern.ts";
import type { HostPattern, IdentitySelector } from "../../policy/model.ts";
import type { Claim, DraftRule } from "../draft.ts";
import { patternsMeet } from "../hosts.ts";
import { isRequests } from "../registry.ts";
import { selectorCovers, selectorsMeet } from "../subjects.ts";
import type { Atom, RuleOrigin, Tell } from "./allow.ts";
import {
  both,
  headerValuesOf,
  hostsOf,
  type Identities,
  METHODS,
  methodsOf,
  pathsOf,
  serverNamesOf,
} from "./approximate.ts";
import type { Match } from "./match.ts";
import { subjectsOf } from "./subjects.ts";

/** What a deny is about: of registered hosts and ports, which hosts at the most. */
type Targets = ReadonlyMap<Claim, readonly HostPattern[]>;

/** A deny with an exception: not a rule, but a bound on every allow that it meets. */
export interface Restriction {
  readonly from: readonly IdentitySelector[] | null;
  readonly targets: Targets;
  /** Only requests with these methods are bound; null = all. */
  readonly methods: readonly string[] | null;
  /** Only requests on these paths are bound; null = all. */
  readonly paths: readonly string[] | null;
  /** What of an allow may stay. */
  readonly limit:
    | { readonly kind: "from"; readonly values: readonly IdentitySelector[] }
    | { readonly kind: "methods"; readonly values: readonly string[] }
    | { readonly kind: "paths"; readonly values: readonly string[] };
  /** Does it say the deny and no more? */
  readonly exact: boolean;
  readonly tell: Tell;
}

/** What a deny becomes: rules, and bounds on the allows. */
export interface Denied {
  readonly rules: readonly DraftRule[];
  readonly restrictions: readonly Restriction[];
}

/**
 * A deny, said around its bounds: whatever of it has no word here is left away, so that it stops more. What it says of
 * requests is left away for other connections, as Istio does.
 */
export function denyOf(
  match: Match,
  rule: RuleOrigin,
  claims: readonly Claim[],
  identities: Identities,
  tell: Tell,
): Denied {
  const { canon } = identities;
  const subjects = subjectsOf(match, "around", rule.namespace, identities);
  for (const { what } of match.foreign)
    tell("deny-broadened", `a deny that asks for ${what} is for all that it else matches`);
  if (!subjects.exact) tell("deny-broadened", "a deny is for more workloads: some names cannot be said here");
  const from = subjects.any;
  if (from?.length === 0) return { rules: [], restrictions: [] };

  const requests = new Map<Claim, readonly HostPattern[]>();
  const connections = new Map<Claim, readonly HostPattern[]>();
  for (const claim of claims) {
    if (isRequests(claim)) {
      const hosts = match.hosts.any === null ? null : hostsOf(match.hosts.any, claim, "around", canon);
      if (hosts?.exact === false)
        tell(
          "deny-broadened",
          `a deny is for more hosts of \`${claim.pattern}\` than can be said here, with a port or without`,
        );
      const named = hosts?.values ?? [claim.pattern];
      const patterns = named.filter((pattern) =>
        match.sni.every(({ any }) => any === null || mayNameRequest(any, pattern, canon)),
      );
      if (match.sni.length > 0 && patterns.length > 0) {
        tell("deny-broadened", "a deny by `connection.sni` is for requests too: their server name is not known");
      }
      if (patterns.length > 0) requests.set(claim, patterns);
    } else {
      let patterns: readonly HostPattern[] = [claim.pattern];
      for (const { any } of match.sni) {
        if (any !== null) patterns = patterns.flatMap((each) => serverNamesOf(any, each, "around", canon).values);
      }
      if (patterns.length > 0) connections.set(claim, patterns);
    }
  }
  const about: Omit<Side, "targets" | "names"> = { from, subjects, rule, tell };
  const one = sideOf({ ...about, targets: requests, names: match.hosts.none, conditions: match }, identities);
  const sniNone = match.sni.find(({ none }) => none !== null)?.none ?? null;
  const other = sideOf({ ...about, targets: connections, names: sniNone, conditions: null }, identities);
  return { rules: [...one.rules, ...other.rules], restrictions: [...one.restrictions, ...other.restrictions] };
}

/**
 * May one of these server names be that of a request? Between sidecar and gateway it is the host, or `outbound_.80_._.` and
 * the host.
 */
function mayNameRequest(values: readonly string[], pattern: HostPattern, canon: Identities["canon"]): boolean {
  if (values.some((value) => value.includes("_") || value.endsWith("*"))) return true;
  return serverNamesOf(values, pattern, "around", canon).values.length > 0;
}

interface Side {
  readonly from: readonly IdentitySelector[] | null;
  readonly subjects: ReturnType<typeof subjectsOf>;
  readonly targets: Targets;
  /** Hosts that are excepted. */
  readonly names: readonly string[] | null;
  /** Methods, paths and headers; null where there are none to see. */
  readonly conditions?: Match | null;
  readonly rule: RuleOrigin;
  readonly tell: Tell;
}

/** The deny on requests, or on other connections. At most one exception is heeded: without the others it stops more. */
function sideOf(side: Side, identities: Identities): Denied {
  const { from, subjects, names, conditions = null, tell } = side;
  const methods = conditions?.methods.any == null ? null : methodsOf(conditions.methods.any, "around");
  const paths = conditions?.paths.any == null ? null : pathsOf(conditions.paths.any, "around");
  const broadened =
    (conditions?.methods.any != null && methods === null && !conditions.methods.any.includes("*")) ||
    (conditions?.paths.any != null && paths === null && !conditions.paths.any.includes("*"));
  const exceptions = [
    subjects.hasNone,
    names !== null,
    conditions?.methods.none != null,
    conditions?.paths.none != null,
  ];
  const several = exceptions.filter(Boolean).length > 1;
  const headers = headersOf(conditions, tell);
  if (broadened) tell("deny-broadened", "a deny is for all methods or paths: not all of them can be said here");
  if (several) tell("deny-broadened", "a deny with several exceptions keeps to one of them");
  const limited = headers !== null || several;
  const bound = (limit: Restriction["limit"], exact: boolean): Denied => ({
    rules: [],
    restrictions: [
      {
        from,
        targets: side.targets,
        methods: methods?.values ?? null,
        paths: paths?.values ?? null,
        limit,
        exact: exact && !limited,
        tell,
      },
    ],
  });
  if (subjects.hasNone) return bound({ kind: "from", values: subjects.none }, true);
  if (conditions?.methods.none != null) {
    const may = methodsOf(conditions.methods.none, "within");
    return bound({ kind: "methods", values: may?.values ?? METHODS }, may?.exact === true);
  }
  if (conditions?.paths.none != null) {
    const may = pathsOf(conditions.paths.none, "within");
    return may === null ? { rules: [], restrictions: [] } : bound({ kind: "paths", values: may.values }, may.exact);
  }
  const targets = [...side.targets].flatMap(([claim, patterns]) =>
    patterns
      .filter((pattern) => names === null || !isExcepted(claim, pattern, names, side, identities))
      .map((pattern) => ({ claim, pattern })),
  );
  if (targets.length === 0) return { rules: [], restrictions: [] };
  const draft: DraftRule = {
    name: side.rule.name,
    effect: "deny",
    from,
    aims: targets.map(({ claim, pattern }) => ({ pattern, ports: [claim.port], protocol: claim.protocol })),
    methods: methods?.values ?? null,
    paths: paths?.values ?? null,
    headers,
    at: side.rule.at,
  };
  const never = [draft.methods, draft.paths].some((each) => each?.length === 0);
  return { rules: never ? [] : [draft], restrictions: [] };
}

/** Is every host of the pattern excepted for sure? */
function isExcepted(
  claim: Claim,
  pattern: HostPattern,
  names: readonly string[],
  { tell }: Side,
  { canon }: Identities,
): boolean {
  const place = { pattern, port: claim.port };
  const may = isRequests(claim)
    ? hostsOf(names, place, "within", canon)
    : serverNamesOf(names, pattern, "within", canon);
  const all = may.values.some((each) => patternCovers(each, pattern));
  if (!all && may.values.length > 0)
    tell("deny-broadened", `a deny is for all of \`${pattern}\`, of which a part is excepted`);
  return all;
}

function headersOf(conditions: Match | null, tell: Tell): DraftRule["headers"] {
  const said: [string, readonly string[]][] = [];
  for (const { name, values } of conditions?.headers ?? []) {
    const read = values.any === null ? null : headerValuesOf(values.any, "around");
    if (read === null || values.none !== null || said.some(([other]) => other === name)) {
      tell("deny-broadened", `a deny does not look at header \`${name}\`: its condition cannot be said here`);
    } else said.push([name, read.values]);
  }
  return said.length === 0 ? null : Object.fromEntries(said);
}

/** What of an allow stays under a bound. */
export function restricted(atom: Atom, bound: Restriction): readonly Atom[] {
  const { from, targets, methods, paths, limit, exact, tell } = bound;
  if (from !== null && !from.some((each) => selectorsMeet(each, atom.from))) return [atom];
  const met = (targets.get(atom.claim) ?? []).filter((pattern) => patternsMeet(pattern, atom.pattern));
  if (met.length === 0) return [atom];
  const apart =
    paths === null ? [] : (atom.paths ?? []).filter((each) => !paths.some((other) => pathsMeet(other, each)));
  if (apart.length > 0) {
    const left = (atom.paths ?? []).filter((each) => !apart.includes(each));
    const met = left.length === 0 ? [] : restricted({ ...atom, paths: left }, bound);
    return [{ ...atom, paths: apart }, ...met];
  }
  const free = methods === null ? [] : (atom.methods ?? METHODS).filter((each) => !methods.includes(each));
  if (methods !== null && atom.methods !== null && free.length === atom.methods.length) return [atom];
  const whole =
    exact &&
    (from === null || from.some((each) => selectorCovers(each, atom.from))) &&
    met.some((pattern) => patternCovers(pattern, atom.pattern)) &&
    (methods === null || atom.methods !== null) &&
    (paths === null || (atom.paths ?? ["*"]).every((each) => paths.some((other) => pathCovers(other, each))));
  if (!whole)
    tell("deny-broadened", "a deny with an exception bounds allows more than it says, since they are said at once");
  const rest: readonly Atom[] = free.length === 0 ? [] : [{ ...atom, methods: free }];
  const bounded =
    methods === null ? atom : { ...atom, methods: (atom.methods ?? methods).filter((each) => methods.includes(each)) };
  return [...rest, ...limitedTo(bounded, limit, tell)].filter(
    (each) => each.methods?.length !== 0 && each.paths?.length !== 0,
  );
}

function limitedTo(atom: Atom, limit: Restriction["limit"], tell: Tell): readonly Atom[] {
  switch (limit.kind) {
    case "from":
      return both([atom.from], limit.values).map((from) => ({ ...atom, from }));
    case "methods":
      return [{ ...atom, methods: (atom.methods ?? limit.values).filter((each) => limit.values.includes(each)) }];
    case "paths": {
      const paths = (atom.paths ?? limit.values).filter((each) =>
        limit.values.some((other) => pathCovers(other, each)),
      );
      if (atom.paths !== null && paths.length < atom.paths.length) {
        tell("deny-broadened", "paths of an allow are left out: not all of them are excepted from a deny");
      }
      return [{ ...atom, paths }];
    }
  }
}

/** Is all that an atom lets pass denied anyway? Then it is better not said. */
export function isDenied(atom: Atom, denies: readonly DraftRule[]): boolean {
  const { claim, pattern, from, methods, paths, headers } = atom;
  return denies.some(
    (deny) =>
      (deny.from === null || deny.from.some((each) => each.kind !== "group" && selectorCovers(each, from))) &&
      (deny.methods === null || methods?.every((each) => deny.methods?.includes(each)) === true) &&
      (deny.paths === null || paths?.every((each) => deny.paths?.some((other) => pathCovers(other, each))) === true) &&
      (deny.headers === null || JSON.stringify(deny.headers) === JSON.stringify(headers)) &&
      (deny.aims ?? []).some(
        (aim) =>
          aim.protocol === claim.protocol && aim.ports?.includes(claim.port) && patternCovers(aim.pattern, pattern),
      ),
  );
}

/** Does a pattern surely match every path that another one does? */
export function pathCovers(outer: string, inner: string): boolean {
  if (outer === inner) return true;
  return outer.endsWith("*") && !/[{}]/.test(outer) && startOf(inner).startsWith(outer.slice(0, -1));
}

/** Might there be a path that both match? Told by what they begin with. */
export function pathsMeet(one: string, other: string): boolean {
  const isWhole = (pattern: string): boolean => startOf(pattern) === pattern;
  if (isWhole(one) && isWhole(other)) return one === other;
  if (isWhole(one)) return one.startsWith(startOf(other));
  if (isWhole(other)) return other.startsWith(startOf(one));
  return startOf(one).startsWith(startOf(other)) || startOf(other).startsWith(startOf(one));
}

/** What every path that a pattern matches begins with. */
function startOf(pattern: string): string {
  return pattern.replace(/(\{.*|\*)$/, "");
}

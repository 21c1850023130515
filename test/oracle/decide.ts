/** The oracle, part 5: docs/semantics.md §5 with "Order of refusals", "The shadow" and "Dependencies" of §7. */
import { conditionsHold, countsAs, pathsOf, type Truth, upgradeAllowed, upgradeOf, windowOf } from "./conditions.ts";
import {
  type Effect,
  type Fallback,
  named,
  type PlacedDocument,
  type Policy,
  type Rule,
  type RuleTarget,
  readWorld,
  type World,
} from "./documents.ts";
import { holds, identify, type Subject, selects, visibleTo } from "./identity.ts";
import {
  findOwner,
  hostMatches,
  isConnect,
  isGuarded,
  type Owner,
  parseTarget,
  patternCovers,
  protocolFits,
  type Request,
  type Target,
} from "./target.ts";
import { readsOf, whenTruth } from "./when.ts";

/** The oracle's answer. */
export interface Verdict {
  readonly effect: Effect;
  readonly reason: string;
  readonly rules: readonly string[];
  readonly shadow: Effect;
  readonly shadowRules: readonly string[];
  readonly validUntil: number | null;
  readonly dependsOn: {
    readonly method: boolean;
    readonly path: boolean;
    readonly contentType: boolean;
    readonly headers: readonly string[];
  };
  /** May the answer be kept? */
  readonly cacheable: boolean;
  readonly subject: string | null;
  readonly target: Target | null;
  readonly service: string | null;
}

/** Decides on raw documents. */
export function judge(
  documents: readonly PlacedDocument[],
  invalidNamespaces: readonly string[],
  request: Request,
  nowMs: number,
): Verdict {
  return decide(readWorld(documents, invalidNamespaces), request, nowMs);
}

/** Decides in a world that has been read. */
export function decide(world: World, request: Request, nowMs: number): Verdict {
  const { subject, refusal } = identify(world, request.principal);
  const target = parseTarget(request);
  const refuse = (reason: string, contentType = false): Verdict => ({
    ...{ effect: "deny", reason, rules: [], shadow: "deny", shadowRules: [], validUntil: null },
    dependsOn: { method: false, path: false, contentType, headers: [] },
    cacheable: !/identity|foreign|invalid-target/.test(reason),
    ...{ subject: subject?.spiffeId ?? null, target, service: null },
  });
  // Step 1, in the order of refusals.
  if (subject === null || refusal !== null) return refuse(refusal ?? "no-identity");
  if (world.invalidNamespaces.some((each) => each === subject.namespace)) return refuse("namespace-invalid");
  if (target === null) return refuse("invalid-target");
  if (isConnect(request)) return refuse("upgrade-not-allowed");
  if (isGuarded(world, target.host)) return refuse("guarded-target");
  const looks = lookUp(world, subject, target, request);
  const { owner, contentType } = looks;
  if (owner === null && !world.allowAny) return refuse("unregistered-target", contentType);

  const service = owner === null ? null : nameIn(owner.service.scope, owner.service.name);
  // The rules whose identity, host and port match, whatever their other conditions say.
  const candidates: Candidate[] = [];
  for (const policy of world.policies.filter(({ scope }) => visibleTo(subject, scope))) {
    for (const rule of policy.rules) {
      if (rule.from !== undefined && !rule.from.some((each) => selects(world, policy.scope, each, subject))) continue;
      const targets = rule.to?.filter((each) => reaches(world, policy, rule, each, target, looks)) ?? null;
      if (targets?.length === 0) continue;
      const when =
        rule.when === undefined ? "true" : whenTruth(rule.when, { subject, target, service, request, nowMs });
      candidates.push({ policy, rule, targets, when });
    }
  }

  // Steps 2-4, once as written and once as the shadow.
  const fallback = fallbackOf(world, subject);
  const real = outcome(candidates, true, fallback, request, nowMs);
  const shadow = outcome(candidates, false, world.allowAny ? fallback : "deny", request, nowMs);
  const boundaries = candidates
    .flatMap(({ rule }) => Object.values(windowOf(rule)))
    .filter((each) => Number.isFinite(each) && each > nowMs);
  const conditions = request.kind === "http" ? candidates.flatMap(({ targets }) => targets ?? []) : [];
  const reads = candidates.flatMap(({ rule }) => (rule.when === undefined ? [] : [readsOf(rule.when)]));
  const seen = request.kind === "http" ? reads : [];
  return {
    ...real,
    ...{ shadow: shadow.effect, shadowRules: shadow.rules },
    validUntil: boundaries.length === 0 ? null : Math.min(...boundaries),
    dependsOn: {
      method: conditions.some(({ methods }) => methods !== undefined) || seen.some(({ method }) => method),
      path: conditions.some((each) => pathsOf(each) !== null) || seen.some(({ path }) => path),
      contentType,
      headers: [
        ...new Set([
          ...conditions.flatMap(({ headers }) => Object.keys(headers ?? {})),
          ...seen.flatMap(({ headers }) => headers),
        ]),
      ].sort(),
    },
    cacheable: !reads.some(({ clock }) => clock),
    ...{ subject: subject.spiffeId, target, service },
  };
}

/** `targets` are those of the rule whose host and port match; null = the rule omits `to`. */
interface Candidate {
  readonly policy: Policy;
  readonly rule: Rule;
  readonly targets: readonly RuleTarget[] | null;
  /** What its expression comes to; true without one. */
  readonly when: Truth;
}

/** Who owns a target. */
interface Looks {
  readonly owner: Owner | null;
  /** The second look, for root denies: as if namespace services did not exist. */
  readonly rootOwner: Owner | null;
  /** A look found a GRPC port. */
  readonly contentType: boolean;
}

/** Looks a target up for a workload. */
export function lookUp(world: World, subject: Subject, target: Target, request: Request): Looks {
  const find = (services: World["services"]) => findOwner(services, target);
  const first = find(world.services.filter(({ scope }) => visibleTo(subject, scope)));
  const second = find(world.services.filter(({ scope }) => scope === ""));
  return {
    owner: first !== null && protocolFits(first, request) ? first : null,
    rootOwner: second !== null && protocolFits(second, request) ? second : null,
    contentType: request.kind === "http" && [first, second].some((look) => look?.protocol === "GRPC"),
  };
}

/** Do host (by the binding of §7) and port of a rule's target match? */
export function reaches(
  world: World,
  policy: Pick<Policy, "scope">,
  rule: Pick<Rule, "effect">,
  to: RuleTarget,
  { host, port }: Target,
  { owner, rootOwner }: Looks,
): boolean {
  if (to.ports !== undefined && !to.ports.includes(port)) return false;
  if (to.service !== undefined) {
    const service = named(world.services, policy.scope, to.service);
    if (service === null) throw new Error(`no service ${to.service}`);
    if (owner?.service === service) return true;
    return rule.effect === "deny" && policy.scope === "" && rootOwner?.service === service;
  }
  const matching = (to.hosts ?? []).filter((pattern) => hostMatches(pattern, host));
  if (rule.effect === "deny") return matching.length > 0;
  if (owner === null || (owner.service.scope !== "" && owner.service.scope !== policy.scope)) return false;
  return matching.some((pattern) => patternCovers(owner.pattern, pattern));
}

/** The strictest fallback of the groups that hold the subject and set one, else the gateway's. */
function fallbackOf(world: World, subject: Subject): Fallback {
  const set = world.groups
    .filter((group) => visibleTo(subject, group.scope) && holds(world, group, subject))
    .map((group) => group.fallback);
  return (["deny", "report", "allow"] as const).find((each) => set.includes(each)) ?? world.fallback;
}

/** Steps 2-4 of §5. */
function outcome(
  candidates: readonly Candidate[],
  enforcedOnly: boolean,
  fallback: Fallback,
  request: Request,
  now: number,
): { effect: Effect; reason: string; rules: string[] } {
  const upgrade = upgradeOf(request);
  const matching = (effect: Effect) =>
    candidates.filter(
      ({ policy, rule, targets, when }) =>
        (policy.enforced || !enforcedOnly) &&
        (rule.effect ?? "allow") === effect &&
        countsAs(when, effect) &&
        (targets === null || targets.some((each) => conditionsHold(each, request, effect))),
    );
  const inWindow = ({ rule }: Candidate) => windowOf(rule).notBefore <= now && now < windowOf(rule).expires;
  const ids = (some: readonly Candidate[]) =>
    some.map(({ policy, rule }) => nameIn(policy.scope, `${policy.name}/${rule.name}`)).sort();

  const denies = matching("deny").filter(inWindow);
  if (denies.length > 0) return { effect: "deny", reason: "denied-by-rule", rules: ids(denies) };

  const butForUpgrade = matching("allow").filter(inWindow);
  const allows = butForUpgrade.filter(({ rule }) => upgradeAllowed(rule, upgrade));
  if (allows.length > 0) return { effect: "allow", reason: "allowed-by-rule", rules: ids(allows) };

  if (upgrade !== null && (butForUpgrade.length > 0 || fallback !== "deny")) {
    return { effect: "deny", reason: "upgrade-not-allowed", rules: [] };
  }
  if (fallback !== "deny") return { effect: "allow", reason: `fallback-${fallback}`, rules: [] };
  const expired = matching("allow").filter(
    ({ rule }) => windowOf(rule).expires <= now && upgradeAllowed(rule, upgrade),
  );
  if (expired.length > 0) return { effect: "deny", reason: "rule-expired", rules: ids(expired) };
  return { effect: "deny", reason: "no-matching-rule", rules: [] };
}

function nameIn(scope: string, name: string): string {
  return scope === "" ? name : `${scope}/${name}`;
}

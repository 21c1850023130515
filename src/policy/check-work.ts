import { LIMITS } from "./limits.ts";
import type { EgressGateway, EgressPolicy, IdentityGroup, Rule, RuleTarget, Scope } from "./model.ts";
import type { RawDocument } from "./raw-document.ts";
import type { Reporter } from "./reporter.ts";
import { createWorkSubjects, type WorkSubjects } from "./work/subjects.ts";
import { itemWork } from "./work/weights.ts";
import { worstWork } from "./work/worst-work.ts";

/** A policy beside the document it came from. */
interface PlacedPolicy {
  readonly policy: EgressPolicy;
  readonly document: RawDocument;
}

interface PlacedGroup {
  readonly group: IdentityGroup;
  readonly document: RawDocument;
}

/**
 * What one namespace writes may cost a request only so much, and the compiler too: whoever writes policies must not be able to slow down the
 * gateway. Root documents and each namespace's have a quota of their own, so that neither takes the other's.
 * @see docs/semantics.md §1
 */
export function checkWork(
  gateway: EgressGateway,
  groups: readonly PlacedGroup[],
  placed: readonly PlacedPolicy[],
  reporter: Reporter,
): void {
  const byName = new Map(groups.map(({ group }) => [`${group.scope}/${group.name}`, group]));
  const groupsOf = Map.groupBy(groups, ({ group }) => group.scope);
  const policiesOf = Map.groupBy(placed, ({ policy }) => policy.scope);
  for (const scope of new Set([...policiesOf.keys(), ...groupsOf.keys()])) {
    const policies = policiesOf.get(scope) ?? [];
    const subjects = createWorkSubjects(scope, byName, gateway);
    const judged = addRules(scope, policies, subjects, reporter);
    checkHeaderNames(policies, reporter);
    const worst = worstWork([...subjects.all()], gateway.trustDomains[0] ?? "", LIMITS.workPerScope);
    const document = judged.largest ?? groupsOf.get(scope)?.at(-1)?.document;
    if (!judged.isWhole || document === undefined || worst.work <= LIMITS.workPerScope) continue;
    const message = `deciding one request of ${named(worst.who)} may take ${Math.ceil(worst.work)} steps by the rules and groups of ${whose(scope)}, which may take ${LIMITS.workPerScope}: join what is for the same workloads and hosts`;
    const path = document.kind === "EgressPolicy" ? ["spec", "rules"] : ["spec"];
    reporter.report(document, path, "too-much-work", message);
  }
}

/** The document whose rules cost most, and whether all were looked at. */
interface JudgedRules {
  readonly largest: RawDocument | null;
  readonly isWhole: boolean;
}

/** Adds what each item of each rule costs. */
function addRules(
  scope: Scope,
  policies: readonly PlacedPolicy[],
  subjects: WorkSubjects,
  reporter: Reporter,
): JudgedRules {
  let largest: { readonly document: RawDocument; readonly work: number } | null = null;
  let items = 0;
  for (const { policy, document } of policies) {
    let work = 0;
    for (const rule of policy.rules) {
      const count = itemsOf(rule);
      items += count;
      if (count > LIMITS.itemsPerRule || items > LIMITS.itemsPerNamespace) {
        const message =
          count > LIMITS.itemsPerRule
            ? `rule \`${rule.name}\` has ${count} pairs of a selector and a service or host, more than ${LIMITS.itemsPerRule}: use groups, services or wildcards`
            : `the rules of ${whose(scope)} have more than ${LIMITS.itemsPerNamespace} pairs of a selector and a service or host`;
        reporter.report(document, ["spec", "rules"], "limit-exceeded", message);
        return { largest: null, isWhole: false };
      }
      work += addRule(rule, subjects);
    }
    if (largest === null || work > largest.work) largest = { document, work };
  }
  return { largest: largest?.document ?? null, isWhole: true };
}

function itemsOf({ from, to }: Rule): number {
  const aims = to?.reduce((sum, { hosts }) => sum + (hosts?.length ?? 1), 0) ?? 1;
  return (from?.length ?? 1) * aims;
}

function addRule(rule: Rule, subjects: WorkSubjects): number {
  const aims: readonly (RuleTarget | null)[] = rule.to ?? [null];
  let sum = 0;
  for (const to of aims) {
    const work = itemWork(rule, to);
    for (const selector of rule.from ?? [null]) {
      const subject = subjects.subject(selector);
      sum += work;
      if (to === null) subject.any += work;
      else if (to.service !== null) add(subject.services, `${to.service.scope}/${to.service.name}`, work);
      for (const host of to?.hosts ?? []) add(subject.hosts, host, work);
    }
  }
  return sum;
}

/** A request's headers are looked through once for each name. */
function checkHeaderNames(policies: readonly PlacedPolicy[], reporter: Reporter): void {
  const names = new Set<string>();
  for (const { policy, document } of policies) {
    for (const { to, when } of policy.rules) {
      for (const { headers } of to ?? []) for (const { name } of headers) names.add(name);
      for (const name of when?.reads.headers ?? []) names.add(name);
    }
    if (names.size <= LIMITS.headerNamesPerNamespace) continue;
    const message = `the rules of ${whose(policy.scope)} look at more than ${LIMITS.headerNamesPerNamespace} headers`;
    reporter.report(document, ["spec", "rules"], "limit-exceeded", message);
    return;
  }
}

function add(map: Map<string, number>, key: string, work: number): void {
  map.set(key, (map.get(key) ?? 0) + work);
}

function whose(scope: Scope): string {
  return scope === "" ? "the root namespace" : `namespace \`${scope}\``;
}

function named(who: string): string {
  const [kind = "", domain = "", path = ""] = who.split("|");
  if (kind === "") return "any workload";
  if (kind === "n") return `a workload of namespace \`${domain}\``;
  return `\`spiffe://${domain}${path}${kind === "p" ? "/…" : ""}\``;
}

import { aimsAt } from "./build-target.ts";
import { patternCovers } from "./host-pattern.ts";
import type { EgressPolicy, ExternalService, Rule, RuleTarget, ServiceRef, SubjectSelector } from "./model.ts";
import type { RawDocument } from "./raw-document.ts";
import type { Reporter } from "./reporter.ts";

/** A policy beside the document it came from. */
export interface PlacedPolicy {
  readonly policy: EgressPolicy;
  readonly document: RawDocument;
}

/** One target of an allow. */
interface Opening extends PlacedPolicy {
  readonly rule: Rule;
  readonly target: RuleTarget;
}

/**
 * Traffic that a service mirrors or splits to another is not decided again on its way. So whoever is allowed to the one
 * must be allowed to the other: same workloads, same ports, at least as long, and under no narrower conditions. Rules of
 * report mode open nothing, so they neither need this nor give it.
 */
export function checkRouting(
  services: readonly ExternalService[],
  policies: readonly PlacedPolicy[],
  reporter: Reporter,
): void {
  const routed = services.filter(({ mirror, split }) => mirror !== null || split.length > 0);
  if (routed.length === 0) return;
  const openings = policies
    .filter(({ policy }) => policy.mode === "enforce")
    .flatMap((placed) => placed.policy.rules.map((rule) => ({ ...placed, rule })))
    .filter(({ rule }) => rule.effect === "allow")
    .flatMap((placed) => (placed.rule.to ?? []).map((target) => ({ ...placed, target })));
  const indexOfRule = createRuleIndex();
  const byRef = new Map(services.map((each) => [keyOf(each), each]));
  for (const service of routed) {
    const here = openings.filter(({ target }) => aimsAt(target, service));
    for (const ref of othersOf(service)) {
      const other = byRef.get(keyOf(ref));
      if (other === undefined || other === service) continue;
      const there = bySubject(openings.filter(({ target }) => opensAll(target, other)));
      for (const opening of here) {
        const { document, policy, rule } = opening;
        if ((rule.from ?? []).every((subject) => isOpen(subject, opening, service, other, there))) continue;
        const message = `\`${service.name}\` sends traffic on to \`${other.name}\`, which the workloads of rule \`${policy.name}/${rule.name}\` are not allowed on the same ports for as long`;
        reporter.report(
          document,
          ["spec", "rules", indexOfRule(document, rule.name), "to"],
          "route-not-allowed",
          message,
        );
      }
    }
  }
}

function keyOf({ scope, name }: ServiceRef): string {
  return `${scope}/${name}`;
}

function othersOf({ mirror, split }: ExternalService): readonly ServiceRef[] {
  const refs = [...(mirror === null ? [] : [mirror.service]), ...split.map(({ service }) => service)];
  return [...new Map(refs.map((ref) => [keyOf(ref), ref])).values()];
}

/** Does the target open every host of the service? */
function opensAll(target: RuleTarget, service: ExternalService): boolean {
  if (target.service !== null) return keyOf(target.service) === keyOf(service);
  return service.hosts.every((inner) => target.hosts?.some((outer) => patternCovers(outer, inner)));
}

/** Openings by each of their selectors, so that asking costs the few that may answer. */
function bySubject(openings: readonly Opening[]): ReadonlyMap<string, readonly Opening[]> {
  const map = new Map<string, Opening[]>();
  for (const opening of openings) {
    for (const subject of opening.rule.from ?? []) {
      // Of a group, a namespace's policy means its own workloads only.
      const narrowed = subject.kind === "group" && opening.policy.scope !== "" ? opening.policy.scope : "";
      const key = `${JSON.stringify(subject)}${narrowed}`;
      const list = map.get(key);
      if (list === undefined) map.set(key, [opening]);
      else list.push(opening);
    }
  }
  return map;
}

/** Does an opening of `other` hold for this subject wherever `opening` opens `service` for it? */
function isOpen(
  subject: SubjectSelector,
  opening: Opening,
  service: ExternalService,
  other: ExternalService,
  there: ReadonlyMap<string, readonly Opening[]>,
): boolean {
  const keys = wider(subject).map((each) => JSON.stringify(each));
  if (subject.kind === "group" && opening.policy.scope !== "")
    keys.push(`${JSON.stringify(subject)}${opening.policy.scope}`);
  const ports = opening.target.ports ?? service.ports.map(({ number }) => number);
  return keys.some((key) =>
    there.get(key)?.some(
      (candidate) =>
        // What a namespace may change or lose is no ground for the root to stand on.
        (candidate.policy.scope === "" || candidate.policy.scope === opening.policy.scope) &&
        (candidate.rule.notBefore ?? -Infinity) <= (opening.rule.notBefore ?? -Infinity) &&
        (candidate.rule.expires ?? Infinity) >= (opening.rule.expires ?? Infinity) &&
        // Of another target, even the same expression may say something else.
        candidate.rule.when === null &&
        ports.every((port) => candidate.target.ports?.includes(port) ?? true) &&
        ports.every((port) => other.ports.some(({ number }) => number === port)) &&
        conditionsHold(candidate.target, opening.target),
    ),
  );
}

/** The selector itself and those that hold all its workloads. */
function wider(subject: SubjectSelector): readonly SubjectSelector[] {
  if (subject.kind !== "id" && subject.kind !== "prefix") return [subject];
  const { trustDomain, path } = subject;
  const namespace = /^\/ns\/([^/]+)\/sa\/[^/]+$/.exec(path)?.[1];
  const parts = path.split("/");
  return [
    subject,
    { kind: "trustDomain", trustDomain },
    ...(namespace === undefined ? [] : [{ kind: "namespace" as const, namespace }]),
    ...parts.slice(1).map((_, i) => ({
      kind: "prefix" as const,
      trustDomain,
      path: parts.slice(0, i + 1).join("/"),
    })),
  ];
}

function conditionsHold(candidate: RuleTarget, target: RuleTarget): boolean {
  const of = ({ methods, paths, headers }: RuleTarget): string => JSON.stringify([methods, paths, headers]);
  return of(candidate) === JSON.stringify([null, null, []]) || of(candidate) === of(target);
}

/** Finds where a rule stands in its document; rules of the model are sorted. Constant time a question. */
function createRuleIndex(): (document: RawDocument, name: string) => number {
  const indices = new Map<RawDocument, ReadonlyMap<string, number>>();
  return (document, name) => {
    if (document.kind !== "EgressPolicy") return 0;
    const known = indices.get(document) ?? new Map(document.spec.rules.map((rule, i) => [rule.name, i]));
    indices.set(document, known);
    return known.get(name) ?? 0;
  };
}

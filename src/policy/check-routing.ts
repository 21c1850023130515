import { aimsAt } from "./build-target.ts";
import type { EgressPolicy, ExternalService, Rule, RuleTarget, ServiceRef } from "./model.ts";
import type { RawDocument } from "./raw-document.ts";
import type { Reporter } from "./reporter.ts";

/** A policy beside the document it came from. */
export interface PlacedPolicy {
  readonly policy: EgressPolicy;
  readonly document: RawDocument;
}

/**
 * Traffic that a service mirrors or splits to another is not decided again on its way. So whoever is allowed to the one
 * must be allowed to the other: same workloads, same ports, at least as long, and no narrower conditions.
 */
export function checkRouting(
  services: readonly ExternalService[],
  policies: readonly PlacedPolicy[],
  reporter: Reporter,
): void {
  const routed = services.filter(({ mirror, split }) => mirror !== null || split.length > 0);
  if (routed.length === 0) return;
  const allows = policies.flatMap(({ policy, document }) =>
    policy.rules.filter(({ effect }) => effect === "allow").map((rule) => ({ policy, document, rule })),
  );
  for (const service of routed) {
    const others = [
      ...(service.mirror === null ? [] : [service.mirror.service]),
      ...service.split.map((s) => s.service),
    ];
    for (const other of others) {
      if (other.name === service.name && other.scope === service.scope) continue;
      for (const { policy, document, rule } of allows) {
        for (const target of rule.to ?? []) {
          if (!aimsAt(target, service)) continue;
          const open = allows.some((each) => each.policy.mode === "enforce" && opens(each.rule, rule, target, other));
          if (open) continue;
          const path = ["spec", "rules", indexOfRule(document, rule.name), "to"];
          const message = `\`${service.name}\` sends traffic on to \`${other.name}\`, which rule \`${policy.name}/${rule.name}\`'s workloads are not allowed on the same ports for as long`;
          reporter.report(document, path, "route-not-allowed", message);
        }
      }
    }
  }
}

/** Does `candidate` open `other` wherever `rule` opens `target`? */
function opens(candidate: Rule, rule: Rule, target: RuleTarget, other: ServiceRef): boolean {
  const who = new Set((candidate.from ?? []).map((each) => JSON.stringify(each)));
  if (candidate.from !== null && !(rule.from ?? []).every((each) => who.has(JSON.stringify(each)))) return false;
  const from = (at: Rule): number => at.notBefore ?? Number.NEGATIVE_INFINITY;
  const until = (at: Rule): number => at.expires ?? Number.POSITIVE_INFINITY;
  if (from(candidate) > from(rule) || until(candidate) < until(rule)) return false;
  return (candidate.to ?? []).some((each) => {
    if (each.service?.name !== other.name || each.service.scope !== other.scope) return false;
    const ports = each.ports === null || (target.ports?.every((port) => each.ports?.includes(port)) ?? false);
    const unconditional = each.methods === null && each.paths === null && each.headers.length === 0;
    const same =
      JSON.stringify([each.methods, each.paths, each.headers]) ===
      JSON.stringify([target.methods, target.paths, target.headers]);
    return ports && (unconditional || same);
  });
}

function indexOfRule(document: RawDocument, name: string): number {
  if (document.kind !== "EgressPolicy") return 0;
  return Math.max(
    0,
    document.spec.rules.findIndex((rule) => rule.name === name),
  );
}

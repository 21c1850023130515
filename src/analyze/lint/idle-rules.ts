import type { Finding } from "./finding.ts";
import type { KnownRule } from "./known-rule.ts";

/** Rules that no request can match: they mean no workload, or nothing that anybody is let through to be asked about. */
export function idleRules(rules: readonly KnownRule[]): Finding[] {
  return rules.flatMap((known) => {
    const why = whyIdle(known);
    if (why === null) return [];
    const { id, rule } = known;
    const message = `\`${id}\` never matches: ${why}`;
    const fix = "remove it, or name whom and what it is for";
    return [{ code: "never-matching-rule", message, at: rule.at, subject: id, related: [], fix } as const];
  });
}

/** Null when some request can match. */
export function whyIdle({ policy, rule, subjects, aims }: KnownRule): string | null {
  if (subjects.length === 0) return `its groups hold no workload of namespace \`${policy.scope}\``;
  if (!aims.every(({ ports }) => ports?.length === 0)) return null;
  return rule.effect === "deny"
    ? "nobody registers its hosts on these ports, and what nobody registers is refused before the rules"
    : "its conditions cannot be seen on any port of its targets";
}

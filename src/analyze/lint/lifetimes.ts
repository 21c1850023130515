import { spanText } from "../span.ts";
import type { Finding } from "./finding.ts";
import type { KnownRule } from "./known-rule.ts";

/** Rules that have expired, and those that expire within `withinMs`. */
export function lifetimes(rules: readonly KnownRule[], nowMs: number, withinMs: number): Finding[] {
  return rules.flatMap(({ id, policy, rule }): Finding[] => {
    if (rule.expires === null || rule.expires > nowMs + withinMs) return [];
    const expired = rule.expires <= nowMs;
    const when = spanText(Math.abs(rule.expires - nowMs));
    return [
      {
        code: expired ? "expired-rule" : "expiring-rule",
        message: expired ? `\`${id}\` expired ${when} ago` : `\`${id}\` expires in ${when}`,
        at: rule.at,
        subject: id,
        related: [],
        fix: expired
          ? `remove it, or ask ${policy.owner} to move \`expires\``
          : `ask ${policy.owner} whether it is to end`,
      },
    ];
  });
}

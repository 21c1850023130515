import type { PolicySet } from "../../policy/model.ts";
import type { Finding } from "./finding.ts";
import type { KnownRule } from "./known-rule.ts";

/** Allows that no ticket stands for. */
export function withoutTicket(rules: readonly KnownRule[]): Finding[] {
  return rules
    .filter(({ rule }) => rule.effect === "allow" && rule.ticket === null)
    .map(({ id, rule }) => {
      const message = `\`${id}\` names no \`ticket\`: nobody can look up who agreed to it`;
      return { code: "allow-without-ticket", message, at: rule.at, subject: id, related: [], fix: "name its ticket" };
    });
}

/** Exceptions that do not say what they are for. */
export function withoutReason(rules: readonly KnownRule[]): Finding[] {
  return rules
    .filter(({ rule }) => rule.expires !== null && rule.reason === null)
    .map(({ id, rule }) => {
      const message = `\`${id}\` expires and names no \`reason\`: nobody will know whether it may`;
      return {
        code: "exception-without-reason",
        message,
        at: rule.at,
        subject: id,
        related: [],
        fix: "say what it is for",
      };
    });
}

/** Policies with an allow whose owner is not among those who still answer. */
export function ownerGone({ policies }: PolicySet, owners: ReadonlySet<string>): Finding[] {
  return policies
    .filter(({ owner, rules }) => !owners.has(owner) && rules.some(({ effect }) => effect === "allow"))
    .map(({ scope, name, owner, at }) => {
      const id = scope === "" ? name : `${scope}/${name}`;
      const message = `the owner of \`${id}\`, ${owner}, is not among the owners`;
      return { code: "owner-gone", message, at, subject: id, related: [], fix: "find it a new owner, or remove it" };
    });
}

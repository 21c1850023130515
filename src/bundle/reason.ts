/**
 * Every reason a decision can have, in the order of their codes in the engine (index = code).
 * `namespace-invalid` comes right after identity; the rest in the order of docs/semantics.md §5.
 */
export const REASONS = [
  "no-identity",
  "invalid-identity",
  "foreign-trust-domain",
  "namespace-invalid",
  "invalid-target",
  "upgrade-not-allowed",
  "guarded-target",
  "unregistered-target",
  "denied-by-rule",
  "allowed-by-rule",
  "rule-expired",
  "no-matching-rule",
  "fallback-report",
  "fallback-allow",
] as const;

export type Reason = (typeof REASONS)[number];

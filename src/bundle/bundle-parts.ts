import type { EgressPolicy, Fallback, PolicySet, Rule, SecurityModel } from "../policy/model.ts";
import { LAYOUT } from "./layout.ts";
import type { MatcherTable } from "./matcher-table.ts";
import type { PairIndex } from "./pair-index.ts";
import type { StringTable } from "./string-table.ts";
import type { SubjectIndex } from "./subject-index.ts";
import type { TargetIndex } from "./target-index.ts";
import type { WhenTable } from "./when-table.ts";

/** A rule with the policy it stands in, and its number: its place among all rule ids in code-unit order. */
export interface NumberedRule {
  readonly id: string;
  readonly policy: EgressPolicy;
  readonly policyNumber: number;
  readonly rule: Rule;
}

/** Everything a bundle is written from. */
export interface BundleParts {
  readonly set: PolicySet;
  readonly strings: StringTable;
  readonly subjects: SubjectIndex;
  readonly targets: TargetIndex;
  readonly matchers: MatcherTable;
  readonly pairs: PairIndex;
  readonly rules: readonly NumberedRule[];
  readonly whens: WhenTable;
  /** Per rule: its flags. */
  readonly ruleFlags: Uint32Array;
  /** Per subject: which classes of targets have rules for it. */
  readonly subjectClasses: Uint32Array;
}

export const MODELS: Readonly<Record<SecurityModel, number>> = {
  AllowAny: LAYOUT.MODEL_ALLOW_ANY,
  RegistryOnly: LAYOUT.MODEL_REGISTRY_ONLY,
  Gateway: LAYOUT.MODEL_GATEWAY,
};

export const FALLBACKS: Readonly<Record<Fallback, number>> = {
  deny: LAYOUT.FALLBACK_DENY,
  report: LAYOUT.FALLBACK_REPORT,
  allow: LAYOUT.FALLBACK_ALLOW,
};

/** The bits the engine reads without opening the rule's record. `when` = the number of its expression. */
export function ruleFlags(policy: EgressPolicy, rule: Rule, when: number): number {
  let flags = when << LAYOUT.RULE_WHEN_AT;
  if (rule.effect === "deny") flags |= LAYOUT.RULE_DENY;
  if (policy.mode === "report") flags |= LAYOUT.RULE_REPORT;
  if (rule.notBefore !== null || rule.expires !== null) flags |= LAYOUT.RULE_WINDOW;
  if (rule.upgrades.length > 0) flags |= LAYOUT.RULE_HAS_UPGRADES;
  return flags >>> 0;
}

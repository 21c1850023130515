import { compileBundle } from "../../bundle/compile.ts";
import { locateItems } from "../../bundle/locate-items.ts";
import { REASONS } from "../../bundle/reason.ts";
import { createEngine } from "../../pdp/engine.ts";
import { type Effect, type EgressPolicy, type PolicySet, type Rule, ruleId } from "../../policy/model.ts";
import { printable } from "../../policy/printable.ts";
import { closedSet } from "../evidence/closed-set.ts";
import { askAgain, decidedBy, decisionId, evidenceText, type TakeRecord } from "../evidence/recorded-request.ts";
import { unseenRules } from "../evidence/unseen-rules.ts";
import type { RecordedDecision } from "../replay/recorded-decision.ts";
import { scopedName } from "../scoped-name.ts";
import { createConcerned } from "./concerned.ts";
import { createEvidenceBook, type RuleEvidence } from "./rule-evidence.ts";

/** What evidence must amount to. */
export interface PromoteOptions {
  readonly nowMs: number;
  /** So many requests an allow must have matched. */
  readonly minCount: number;
  /** On so many days of UTC the trail must have decisions. */
  readonly minDays: number;
  /** So many surprises a rule may have. */
  readonly maxSurprises: number;
}

/** Why a rule is not ready. */
export type NotReady = "not-begun" | "expired" | "too-young" | "unmatched" | "would-deny" | "without-rule";

export interface JudgedReportRule extends RuleEvidence {
  readonly id: string;
  readonly rule: Rule;
  /** None = it is ready. */
  readonly because: readonly NotReady[];
}

/** A policy in report mode. It is ready when all its rules are. */
export interface JudgedPolicy {
  readonly policy: EgressPolicy;
  /** `namespace/policy`, or `policy` of the root. */
  readonly id: string;
  readonly ready: boolean;
  readonly rules: readonly JudgedReportRule[];
}

/** Takes the recorded decisions of the time that counts. */
export interface Promoter {
  readonly add: TakeRecord;
  /** Every policy in report mode, in the order of the set. */
  finish(): { readonly days: number; readonly policies: readonly JudgedPolicy[] };
}

const DAY_MS = 86_400_000;
const POLICY_REASONS: ReadonlySet<string> = new Set(REASONS);

/**
 * Judges by traffic which policies in report mode can be enforced. Recorded requests are asked again under the set as it is, and
 * as it is once everything is enforced and nothing passes without a rule; so it does not matter which policies decided them then.
 */
export function createPromoter(set: PolicySet, module: WebAssembly.Module, options: PromoteOptions): Promoter {
  const { nowMs } = options;
  const closed = closedSet(set);
  const bundle = compileBundle(closed);
  const enforced = createEngine(module, bundle);
  const present = createEngine(module, compileBundle(set));
  const concerned = createConcerned(enforced, locateItems(closed, bundle), nowMs);
  const reported = set.policies.filter(({ mode }) => mode === "report");
  const watched = new Set(reported.flatMap((policy) => policy.rules.map((rule) => ruleId(policy, rule))));
  const unseen = { allow: unseenRules(set, "allow"), deny: unseenRules(set, "deny") };
  // Where the shadow denies, allows that have expired can be named too.
  const effects = new Map(
    set.policies.flatMap((policy) => policy.rules.map((rule) => [ruleId(policy, rule), rule.effect])),
  );
  const book = createEvidenceBook();
  const days = new Set<number>();

  /** Which rules decide a request once all is enforced, which denies stop it although it passes, and whether it passes without a rule. */
  function judge(record: RecordedDecision) {
    // What these very policies decided stands, with all that is not on record.
    const stands = record.revision === present.revision;
    const recorded = (effect: Effect) =>
      decidedBy(record, effect).filter((id) => effects.get(id) === effect && (stands || unseen[effect].has(id)));
    const allowing = recorded("allow");
    const denying = recorded("deny");
    const passed = record.effect === "allow";
    // The upgrade that it asked for is not on record: asked again, it would be another request.
    if (record.reason === "upgrade-not-allowed") return { matched: [], stopping: [], missing: false };
    const now = askAgain(present, record, nowMs);
    const then = askAgain(enforced, record, nowMs);
    const passes = now.effect === "allow";
    const decided = then.reason === "allowed-by-rule" || then.reason === "denied-by-rule" ? then.rules : [];
    const ruleless = passes && (then.reason === "no-matching-rule" || then.reason === "rule-expired");
    const byFallback = record.reason === "fallback-report" || record.reason === "fallback-allow";
    return {
      matched: new Set([...(stands ? [] : decided), ...allowing, ...denying]),
      stopping: [...(passes && then.reason === "denied-by-rule" ? then.rules : []), ...(passed ? denying : [])],
      missing: allowing.length === 0 && (ruleless || (stands && byFallback && denying.length === 0)),
    };
  }

  return {
    add(record, timeMs) {
      if (!POLICY_REASONS.has(record.reason)) return;
      days.add(Math.floor(timeMs / DAY_MS));
      const { matched, stopping, missing } = judge(record);
      for (const id of matched) if (watched.has(id)) book.match(id, { timeMs, id: decisionId(record) });
      const surprised = missing ? [...stopping, ...concerned(record)] : stopping;
      if (surprised.length === 0) return;
      const example = printable(evidenceText(record).slice(0, 200));
      for (const id of new Set(surprised)) if (watched.has(id)) book.surprise(id, example);
    },
    finish() {
      const policies = reported.map((policy): JudgedPolicy => {
        const rules = policy.rules.map((rule): JudgedReportRule => {
          const id = ruleId(policy, rule);
          const evidence = book.of(id);
          return { id, rule, ...evidence, because: whyNot(rule, evidence, days.size, options) };
        });
        const ready = rules.every(({ because }) => because.length === 0);
        return { policy, id: scopedName(policy), ready, rules };
      });
      return { days: days.size, policies };
    },
  };
}

function whyNot(rule: Rule, evidence: RuleEvidence, days: number, options: PromoteOptions): NotReady[] {
  const { matched, surprises } = evidence;
  const { nowMs, minCount, minDays, maxSurprises } = options;
  const because: NotReady[] = [];
  if (rule.notBefore !== null && rule.notBefore > nowMs) because.push("not-begun");
  if (rule.expires !== null && rule.expires <= nowMs) because.push("expired");
  if (days < minDays) because.push("too-young");
  if (rule.effect === "allow" && (matched?.count ?? 0) < minCount) because.push("unmatched");
  if (surprises.count > maxSurprises) because.push(rule.effect === "deny" ? "would-deny" : "without-rule");
  return because;
}

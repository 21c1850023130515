import { REASONS } from "../../bundle/reason.ts";
import type { CheckInput, Decision } from "../../pdp/decision.ts";
import type { Engine } from "../../pdp/engine.ts";
import { type PolicySet, ruleId } from "../../policy/model.ts";
import type { Vocabulary } from "../atoms/vocabulary.ts";
import { completions, domainGap, FRAGMENT, type Gap, headerGaps, upgradeGap } from "./completions.ts";
import { isAsRecorded, isCut, type RecordedDecision, recordedInput, type Unknown } from "./recorded-decision.ts";

/** One revision of the policies, and what decides by it. */
export interface ReplayPolicies {
  readonly set: PolicySet;
  readonly engine: Pick<Engine, "revision" | "decide">;
  /** Ids of rules that name an upgrade. */
  readonly upgrading: ReadonlySet<string>;
}

export function replayPolicies(set: PolicySet, engine: ReplayPolicies["engine"]): ReplayPolicies {
  const rules = set.policies.flatMap((policy) => policy.rules.map((rule) => ({ rule, id: ruleId(policy, rule) })));
  return { set, engine, upgrading: new Set(rules.filter(({ rule }) => rule.upgrades.length > 0).map(({ id }) => id)) };
}

/**
 * Whether the policies that decided then say the same today: as the record has it; with values that are not on record; not
 * to be asked, because what was refused is not on record as it came; or these policies are not at hand.
 */
export type Reproduction = "exact" | "completed" | "withheld" | "absent";

/** What becomes of a recorded request. */
export type Again =
  /** `shadow` = false when what is not on record decides the shadow. */
  | {
      readonly kind: "decided";
      readonly now: Decision;
      readonly shadow: boolean;
      readonly reproduction: Reproduction;
    }
  /** Refused before any policy is asked: no revision can change that. */
  | { readonly kind: "refused"; readonly reproduction: Reproduction }
  /** The answer hangs on what is not on record. */
  | { readonly kind: "undecidable"; readonly on: readonly Unknown[]; readonly reproduction: Reproduction }
  /** The answer was the server's own, not the policies'. */
  | { readonly kind: "own" }
  /** Under its own policies it does not come out as it is on record: a fault of ours. */
  | { readonly kind: "failed"; readonly got: Decision };

const POLICY_REASONS: ReadonlySet<string> = new Set(REASONS);
/** What is wrong with an identity or a target is so under every revision. */
const BEFORE_POLICIES: ReadonlySet<string> = new Set(["no-identity", "invalid-identity", "invalid-target"]);

/** A way to fill in what is not on record, and what comes of it. */
interface Filled {
  readonly now: Decision;
  readonly own: Decision | null;
}

/**
 * Decides a recorded request under `now`. What is not on record is never guessed: every way to fill it in is decided, of which
 * only those count that come out as recorded under `own`, the policies that decided then, where these are at hand. A request
 * counts as one that does not upgrade unless its record says otherwise.
 */
export function decideAgain(
  record: RecordedDecision,
  nowMs: number,
  now: ReplayPolicies,
  own: ReplayPolicies | null,
  vocabulary: Vocabulary,
): Again {
  const { reason, target, subject } = record;
  if (!POLICY_REASONS.has(reason)) return { kind: "own" };
  const input = recordedInput(record);
  const absent: Reproduction = own === null ? "absent" : "withheld";
  if (typeof target.port !== "number" || BEFORE_POLICIES.has(reason)) {
    const same = own !== null && isAsRecorded(own.engine.decide(input, nowMs), record);
    return { kind: "refused", reproduction: same ? "exact" : absent };
  }
  if (isCut(subject.spiffeId)) return { kind: "undecidable", on: ["identity"], reproduction: absent };

  const decide = (each: CheckInput): Filled => {
    const decision = now.engine.decide(each, nowMs);
    return { now: decision, own: own === now ? decision : (own?.engine.decide(each, nowMs) ?? null) };
  };
  const gaps = gapsOf(record, now, own, vocabulary);
  const first = fill(input, gaps, decide, vocabulary);
  if (isCut(input.path) && (first.filled ?? [decide(input)]).some(dependsOnPath)) {
    return { kind: "undecidable", on: ["path"], reproduction: absent };
  }
  let tried = first;
  let fitting = fits(tried.filled, record);
  const others = gaps.filter(({ of }) => of !== "upgrade");
  const upgrade = upgradeGap(vocabulary, true);
  const hidden = input.kind === "http" ? [[upgrade], [FRAGMENT], [upgrade, FRAGMENT]] : [];
  for (const more of hidden) {
    if (fitting?.length !== 0) break;
    // It came with what records leave out for good.
    tried = fill(input, [...others, ...more], decide, vocabulary);
    fitting = fits(tried.filled, record);
  }
  const on = tried.gaps.map(({ of }) => of);
  const [one] = fitting ?? [];
  if (fitting === null) return { kind: "undecidable", on, reproduction: absent };
  if (one === undefined) return { kind: "failed", got: (own ?? now).engine.decide(input, nowMs) };
  const reproduction: Reproduction = own === null ? "absent" : tried.gaps.length === 0 ? "exact" : "completed";
  if (fitting.some((each) => each.now.effect !== one.now.effect)) return { kind: "undecidable", on, reproduction };
  const shadow = fitting.every((each) => each.now.shadow === one.now.shadow);
  return { kind: "decided", now: one.now, shadow, reproduction };
}

/** What is known to be missing before anything is decided. */
function gapsOf(
  { reason, target, rules, subject }: RecordedDecision,
  now: ReplayPolicies,
  own: ReplayPolicies | null,
  vocabulary: Vocabulary,
): readonly Gap[] {
  const gaps: Gap[] = [];
  if (target.protocol === "http" && target.method !== "CONNECT") {
    const { upgrading } = own ?? now;
    if (reason === "upgrade-not-allowed") gaps.push(upgradeGap(vocabulary, false));
    else if (reason === "allowed-by-rule" && rules.some((id) => upgrading.has(id))) {
      gaps.push(upgradeGap(vocabulary, true));
    }
  }
  const domains = own?.set.gateway.trustDomains ?? [];
  const [first = ""] = domains;
  const known = now.set.gateway.trustDomains;
  const isOwn = subject.spiffeId === `spiffe://${first}` || subject.spiffeId.startsWith(`spiffe://${first}/`);
  if (isOwn && !domains.every((each) => known.includes(each))) gaps.push(domainGap(first, domains));
  return gaps;
}

/** Fills all gaps in every way; those headers included that the decisions turn out to look at. Null = too many ways. */
function fill(
  input: CheckInput,
  known: readonly Gap[],
  decide: (input: CheckInput) => Filled,
  vocabulary: Vocabulary,
): { readonly filled: readonly Filled[] | null; readonly gaps: readonly Gap[] } {
  let gaps = known;
  for (;;) {
    const filled = completions(input, gaps)?.map(decide) ?? null;
    if (filled === null) return { filled, gaps };
    const found = new Map<string, Gap>();
    for (const decision of filled.flatMap((each) => (each.own === null ? [each.now] : [each.now, each.own]))) {
      for (const gap of headerGaps(input, decision.dependsOn, vocabulary)) found.set(gap.of, gap);
    }
    for (const { of } of gaps) found.delete(of);
    if (found.size === 0) return { filled, gaps };
    gaps = [...gaps, ...found.values()];
  }
}

/** The ways under which the policies of then say what is on record; all of them when these are not at hand. */
function fits(filled: readonly Filled[] | null, record: RecordedDecision): readonly Filled[] | null {
  return filled?.filter(({ own }) => own === null || isAsRecorded(own, record)) ?? null;
}

function dependsOnPath({ now, own }: Filled): boolean {
  return now.dependsOn.path || (own?.dependsOn.path ?? false);
}

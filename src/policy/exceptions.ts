import type { Effect, Mode, PolicySet, SourcePosition } from "./model.ts";
import { ruleId } from "./model.ts";
import { compareText } from "./reporter.ts";

/** A rule that ends by itself. When an allow ends, something is closed; when a deny ends, something is opened. */
export interface Exception {
  /** The rule's id. */
  readonly rule: string;
  readonly effect: Effect;
  readonly mode: Mode;
  /** Milliseconds since the epoch. */
  readonly notBefore: number | null;
  readonly expires: number;
  readonly owner: string;
  readonly ticket: string | null;
  readonly reason: string | null;
  readonly at: SourcePosition;
}

/** Whether an exception has ended, does so within the time that is asked about, or later. */
export type ExceptionState = "expired" | "soon" | "later";

/** The rules of a set with `expires`, by their end, then by id. */
export function exceptionsOf(set: PolicySet): readonly Exception[] {
  return set.policies
    .flatMap((policy) =>
      policy.rules.flatMap((rule): Exception[] => {
        const { effect, notBefore, expires, ticket, reason, at } = rule;
        if (expires === null) return [];
        const { mode, owner } = policy;
        return [{ rule: ruleId(policy, rule), effect, mode, notBefore, expires, owner, ticket, reason, at }];
      }),
    )
    .sort((a, b) => a.expires - b.expires || compareText(a.rule, b.rule));
}

/** Where an exception stands at an instant. A rule is over at its `expires`. */
export function exceptionState(expires: number, nowMs: number, withinMs: number): ExceptionState {
  if (expires <= nowMs) return "expired";
  return expires <= nowMs + withinMs ? "soon" : "later";
}

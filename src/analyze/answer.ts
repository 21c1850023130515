import type { Decision } from "../pdp/decision.ts";
import type { Effect, PolicySet } from "../policy/model.ts";
import type { Enforcement } from "./enforcement.ts";
import type { AskedRequest, WrittenRequest } from "./request.ts";
import { indexRules } from "./rule-index.ts";

/** A rule of an answer. What a running server does not tell is null. */
export interface AnsweredRule {
  readonly id: string;
  readonly file: string | null;
  readonly line: number | null;
  readonly owner: string | null;
  readonly ticket: string | null;
  readonly reason: string | null;
}

/** What `check` found out. What a running server does not tell is null. */
export interface CheckAnswer {
  readonly from: string;
  readonly to: string;
  readonly note: string | null;
  readonly effect: Effect;
  readonly reason: string;
  readonly rules: readonly AnsweredRule[];
  readonly shadow: Effect | null;
  readonly shadowRules: readonly string[] | null;
  /** Milliseconds since the epoch; null = time alone never changes the answer (or a server that does not tell). */
  readonly validUntil: number | null;
  readonly subject: string | null;
  readonly namespace: string | null;
  readonly target: string | null;
  readonly service: string | null;
  readonly revision: string | null;
  readonly enforced: Enforcement | null;
}

/** The answer of the policies here. */
export function localAnswer(
  request: WrittenRequest,
  asked: AskedRequest,
  decision: Decision,
  context: { readonly set: PolicySet; readonly enforced: Enforcement; readonly revision: string },
): CheckAnswer {
  const index = indexRules(context.set);
  const rules = decision.rules.map((id): AnsweredRule => {
    const found = index.get(id);
    if (found === undefined) return { id, file: null, line: null, owner: null, ticket: null, reason: null };
    const { file, line } = found.rule.at;
    return { id, file, line, owner: found.policy.owner, ticket: found.rule.ticket, reason: found.rule.reason };
  });
  const { effect, reason, shadow, shadowRules, validUntil, service } = decision;
  return {
    from: request.from,
    to: request.to,
    note: asked.note,
    effect,
    reason,
    rules,
    shadow,
    shadowRules,
    validUntil,
    subject: decision.subject?.spiffeId ?? null,
    namespace: decision.subject?.namespace ?? null,
    target: decision.target === null ? null : `${decision.target.host}:${decision.target.port}`,
    service,
    revision: context.revision,
    enforced: context.enforced,
  };
}

/** The stable machine-readable form, documented in docs/cli.md. */
export function checkJson(answer: CheckAnswer): Record<string, unknown> {
  const { validUntil, enforced, namespace: _, ...rest } = answer;
  return {
    schema: "sallyport.dev/check/v1",
    ...rest,
    validUntil: validUntil === null ? null : new Date(validUntil).toISOString(),
    enforcedBy: enforced?.by ?? null,
    leaves: enforced?.leaves ?? null,
  };
}

import { status as Code } from "@grpc/grpc-js";
import type { Reason } from "../bundle/reason.ts";
import type { CheckKind, Decision } from "../pdp/decision.ts";
import { denialText } from "./denial-text.ts";
import type { CheckResponseMessage, HttpAnswerMessage } from "./wire.ts";

/** Every reason an answer can have: the engine's, and two of the server's own. */
export type AnswerReason = Reason | OwnReason;

/** Answers of the server's own, when there is no decision or none that may be told. */
export type OwnReason = "no-policy" | "internal-error" | "audit-failed";

/** What an answer is made of. `decision` is null for the server's own two reasons. */
export interface Verdict {
  readonly id: string;
  readonly kind: CheckKind;
  readonly reason: AnswerReason;
  readonly decision: Decision | null;
  readonly revision: string | null;
}

const FORBIDDEN = 403;
const UNAVAILABLE = 503;
const ALLOWED = { code: Code.OK, message: "" };
const OVERWRITE_IF_EXISTS_OR_ADD = 2;

/**
 * The one place where an answer to Envoy is built. Everything here is a DENY but for the one line that needs a decision
 * saying allow, because to Envoy an empty CheckResponse means allow. An allow adds nothing to the request that leaves
 * the mesh. `no-policy` is a failure of the authorizer, not a refusal.
 */
export function buildCheckResponse(verdict: Verdict): CheckResponseMessage {
  const { kind, reason, decision } = verdict;
  const dynamic_metadata = metadata(verdict);
  if (decision !== null && decision.effect === "allow") return { status: ALLOWED, ok_response: {}, dynamic_metadata };
  if (reason === "no-policy" || reason === "audit-failed") {
    const status = { code: Code.UNAVAILABLE, message: reason };
    return { status, error_response: httpAnswer(UNAVAILABLE, verdict), dynamic_metadata };
  }
  const status = { code: Code.PERMISSION_DENIED, message: reason };
  if (kind !== "http") return { status, dynamic_metadata };
  return { status, denied_response: httpAnswer(FORBIDDEN, verdict), dynamic_metadata };
}

/** What Envoy's access log can show of the decision. */
function metadata({ id, reason, decision, revision }: Verdict): NonNullable<CheckResponseMessage["dynamic_metadata"]> {
  return {
    fields: {
      decision_id: { stringValue: id },
      effect: { stringValue: decision?.effect ?? "deny" },
      reason: { stringValue: reason },
      rules: { stringValue: decision?.rules.join(",") ?? "" },
      revision: { stringValue: revision ?? "" },
      shadow: { stringValue: decision?.shadow ?? "deny" },
      subject: { stringValue: decision?.subject?.spiffeId ?? "" },
    },
  };
}

function httpAnswer(code: number, verdict: Verdict): HttpAnswerMessage {
  return {
    status: { code },
    headers: [header("content-type", "application/json"), header("x-sallyport-decision-id", verdict.id)],
    body: `${JSON.stringify(denialBody(verdict))}\n`,
  };
}

function denialBody({ id, reason, decision }: Verdict): Record<string, unknown> {
  const note = decision?.note ?? null;
  const target = decision?.target ?? null;
  const { message, howToGetAccess } = denialText(reason, decision);
  return {
    decision: id,
    effect: "deny",
    reason,
    message,
    subject: decision?.subject?.spiffeId ?? null,
    target: target === null ? null : `${target.host}:${target.port}`,
    policy: note?.policy ?? null,
    rule: decision?.rules[0] ?? null,
    owner: note?.owner ?? null,
    ticket: note?.ticket ?? null,
    howToGetAccess,
  };
}

function header(key: string, value: string): HttpAnswerMessage["headers"][number] {
  return { header: { key, value }, append_action: OVERWRITE_IF_EXISTS_OR_ADD };
}

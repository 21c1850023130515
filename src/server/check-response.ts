import { status as Code } from "@grpc/grpc-js";
import type { Reason } from "../bundle/reason.ts";
import type { CheckKind, Decision } from "../pdp/decision.ts";
import { denialText } from "./denial-text.ts";
import type { CheckResponseMessage, HttpAnswerMessage } from "./wire.ts";

/** Every reason an answer can have: the engine's, and two of the server's own. */
export type AnswerReason = Reason | "no-policy" | "internal-error";

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
const OVERWRITE_IF_EXISTS_OR_ADD = 2;

/**
 * The one place where an answer to Envoy is built. It starts from DENY, because to Envoy an empty CheckResponse means
 * allow: an answer becomes an allow only by a decision that says so. An allow adds nothing to the request that leaves
 * the mesh. `no-policy` is a failure of the authorizer, not a refusal.
 */
export function buildCheckResponse(verdict: Verdict): CheckResponseMessage {
  const { id, kind, reason, decision, revision } = verdict;
  const dynamic_metadata = metadata({
    decision_id: id,
    effect: decision?.effect ?? "deny",
    reason,
    rules: decision?.rules.join(",") ?? "",
    revision: revision ?? "",
    shadow: decision?.shadow ?? "deny",
    subject: decision?.subject?.spiffeId ?? "",
  });
  const denied = {
    status: { code: Code.PERMISSION_DENIED, message: reason },
    ...(kind === "http" ? { denied_response: httpAnswer(FORBIDDEN, verdict) } : {}),
    dynamic_metadata,
  };
  if (reason === "no-policy") {
    const status = { code: Code.UNAVAILABLE, message: reason };
    return { status, error_response: httpAnswer(UNAVAILABLE, verdict), dynamic_metadata };
  }
  if (decision === null || decision.effect !== "allow") return denied;
  return { status: { code: Code.OK, message: "" }, ok_response: {}, dynamic_metadata };
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

function metadata(texts: Record<string, string>): NonNullable<CheckResponseMessage["dynamic_metadata"]> {
  return { fields: Object.fromEntries(Object.entries(texts).map(([key, stringValue]) => [key, { stringValue }])) };
}

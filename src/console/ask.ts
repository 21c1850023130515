import { type CheckAnswer, localAnswer } from "../analyze/answer.ts";
import { enforcement } from "../analyze/enforcement.ts";
import type { Explanation } from "../analyze/explain/explain.ts";
import { askedRequest, type WrittenRequest } from "../analyze/request.ts";
import { parseInstant } from "../policy/instant.ts";
import { fail, ok, type Result } from "../policy/result.ts";
import type { Policies } from "./policies.ts";

/** What the playground's form holds. */
export interface Written {
  readonly from: string;
  readonly to: string;
  /** `name=value` a line. */
  readonly headers: string;
  readonly upgrade: string;
  /** RFC 3339; empty = the present. */
  readonly now: string;
}

/** What came of it. */
export interface Answered {
  readonly answer: CheckAnswer;
  readonly explanation: Explanation;
  readonly nowMs: number;
}

/** Asks the engine here, as `sallyport check` and `sallyport explain` do. */
export function ask({ set, engine, explain }: Policies, written: Written): Result<Answered> {
  const headers = readHeaders(written.headers);
  if (!headers.ok) return headers;
  const now = written.now.trim() === "" ? ok(Date.now()) : parseInstant(written.now.trim());
  if (!now.ok) return now;
  const upgrade = written.upgrade.trim() === "" ? null : written.upgrade.trim();
  const request: WrittenRequest = { from: written.from.trim(), to: written.to.trim(), headers: headers.value, upgrade };
  const asked = askedRequest(request, set.gateway.trustDomains[0] ?? "");
  if (!asked.ok) return asked;
  const { input } = asked.value;
  let explanation: Explanation;
  try {
    explanation = explain({ input, nowMs: now.value, upgrade: input.kind === "http" ? upgrade : null }, null);
  } catch (error) {
    return fail(`the engine failed: ${String(error)}`);
  }
  const enforced = enforcement(set, explanation.decision);
  const answer = localAnswer(request, asked.value, explanation.decision, { set, enforced, revision: engine.revision });
  return ok({ answer, explanation, nowMs: now.value });
}

function readHeaders(text: string): Result<Record<string, string>> {
  const headers: Record<string, string> = {};
  for (const line of text.split("\n")) {
    if (line.trim() === "") continue;
    const [, name, value] = /^([^=\s]+)=(.*)$/.exec(line) ?? [];
    if (name === undefined || value === undefined)
      return fail(`\`${line}\` is not a header: write name=value, one a line`);
    const key = name.toLowerCase();
    if (Object.hasOwn(headers, key)) return fail(`${key} is given twice`);
    headers[key] = value;
  }
  return ok(headers);
}

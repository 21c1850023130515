import type { Decision } from "../pdp/decision.ts";
import type { AnswerReason } from "./check-response.ts";
import { DENIALS, type DenialText, OTHERWISE } from "./denials.ts";

/** Explains a denial to the application that was refused. `decision` is null when none was made. */
export function denialText(reason: AnswerReason, decision: Decision | null): DenialText {
  const target = decision?.target ?? null;
  const owner = decision?.note?.owner;
  const why = decision?.note?.reason ?? null;
  const values: Readonly<Record<string, string>> = {
    who: decision?.subject?.spiffeId ?? "this workload",
    what: target === null ? "this target" : `${target.host}:${target.port}`,
    rule: decision?.rules[0] ?? "a rule",
    ask: owner === undefined ? "ask the platform team" : `ask ${owner}`,
    why: why === null ? "" : ` (${why})`,
  };
  const fill = (text: string): string => text.replace(/\{(\w+)\}/g, (_, name: string) => values[name] ?? "");
  const { message, howToGetAccess } = DENIALS[reason] ?? OTHERWISE;
  return { message: fill(message), howToGetAccess: fill(howToGetAccess) };
}

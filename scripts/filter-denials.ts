import { REASONS } from "../src/bundle/reason.ts";
import { DENIALS, OTHERWISE } from "../src/server/denials.ts";

/** The text of src/filter/denials.ts: reasons and what a refused caller is told, by the codes of the engine. */
export function filterDenialsSource(): string {
  const lines = [
    "// Written by scripts/build-wasm.ts from src/bundle/reason.ts and src/server/denials.ts. Do not edit.",
    "/** The name of a reason by its code. */",
    ...switchOf("reasonName", (reason) => reason, ""),
    "/** What happened, with places for who, what, rule, ask and why. */",
    ...switchOf("denialMessage", (reason) => (DENIALS[reason] ?? OTHERWISE).message, OTHERWISE.message),
    "/** What to do about it. */",
    ...switchOf("denialAdvice", (reason) => (DENIALS[reason] ?? OTHERWISE).howToGetAccess, OTHERWISE.howToGetAccess),
  ];
  return `${lines.join("\n")}\n`;
}

function switchOf(name: string, textOf: (reason: string) => string, otherwise: string): readonly string[] {
  const cases = REASONS.map((reason, code) => `  if (reason == ${code}) return ${JSON.stringify(textOf(reason))};`);
  return [`export function ${name}(reason: u32): string {`, ...cases, `  return ${JSON.stringify(otherwise)};`, "}"];
}

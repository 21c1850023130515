import type { CodeEntry } from "./codes/code-entry.ts";
import { PLACE_CODES } from "./codes/place-codes.ts";
import { RULE_CODES } from "./codes/rule-codes.ts";
import { SHAPE_CODES } from "./codes/shape-codes.ts";
import { SOURCE_CODES } from "./codes/source-codes.ts";
import { TARGET_CODES } from "./codes/target-codes.ts";
import type { Severity } from "./diagnostic.ts";

const CODES = { ...SOURCE_CODES, ...SHAPE_CODES, ...PLACE_CODES, ...TARGET_CODES, ...RULE_CODES } as const;

/** Every code that the policy language knows. Codes are stable: they are never renamed or reused. */
export type DiagnosticCode = keyof typeof CODES;

/** What each code means, with examples: docs/diagnostics.md is made from it. */
export const DIAGNOSTIC_CODES: Readonly<Record<DiagnosticCode, CodeEntry>> = CODES;

/** Warnings point something out; errors refuse the set. */
export function severityOf(code: DiagnosticCode): Severity {
  return CODES[code].severity;
}

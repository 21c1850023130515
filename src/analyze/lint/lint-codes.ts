import { AGE_CODES } from "./codes/age-codes.ts";
import type { LintCodeEntry } from "./codes/lint-code-entry.ts";
import { OVERLAP_CODES } from "./codes/overlap-codes.ts";
import { SUPPRESSION_CODES } from "./codes/suppression-codes.ts";

const CODES = { ...OVERLAP_CODES, ...AGE_CODES, ...SUPPRESSION_CODES } as const;

/** Every code of the lint. Codes are stable: they are never renamed or reused. */
export type LintCode = keyof typeof CODES;

/** What each code means, with examples: docs/lint.md is made from it. */
export const LINT_CODES: Readonly<Record<LintCode, LintCodeEntry>> = CODES;

export function isLintCode(text: string): text is LintCode {
  return Object.hasOwn(CODES, text);
}

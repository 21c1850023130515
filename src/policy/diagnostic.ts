import type { SourcePosition } from "./model.ts";

export type Severity = "error" | "warning";

/** One finding about a policy set. Codes are stable and documented in docs/diagnostics.md. */
export interface Diagnostic {
  /** Stable kebab-case code, e.g. `unknown-key`. */
  readonly code: string;
  readonly severity: Severity;
  /** One line: what is wrong. */
  readonly message: string;
  readonly at: SourcePosition;
  /** The namespace whose load this stops: `""` = the root (stops everything). */
  readonly scope: string;
  /** The offending line and a caret line under it; null when there is no text to show. */
  readonly excerpt: string | null;
  /** What to write instead, where it can be computed. */
  readonly fix: string | null;
}

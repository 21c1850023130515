import type { SourcePosition } from "../../policy/model.ts";
import type { LintCode } from "./lint-codes.ts";

/** How grave a finding is: `note` is worth knowing, `warning` should be mended, `error` is surely a mistake. */
export type LintSeverity = "error" | "warning" | "note";

/** Another place that a finding speaks of. */
export interface RelatedPlace {
  readonly message: string;
  readonly at: SourcePosition;
}

/** Something that a policy set would be better without. */
export interface Finding {
  readonly code: LintCode;
  /** One line: what is wrong. */
  readonly message: string;
  readonly at: SourcePosition;
  /** The rule, service or group it is about, by id; null for a suppression. */
  readonly subject: string | null;
  readonly related: readonly RelatedPlace[];
  /** What to do about it, in one line. */
  readonly fix: string;
}

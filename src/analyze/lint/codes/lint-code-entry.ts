import type { CodeEntry } from "../../../policy/codes/code-entry.ts";
import type { LintSeverity } from "../finding.ts";
import type { TrafficRecord } from "../traffic/collect.ts";

/** What a code of the lint means, with an example that yields it (and nothing else) and one that does not. */
export interface LintCodeEntry extends Omit<CodeEntry, "severity"> {
  readonly severity: LintSeverity;
  /** What must be given beside the policies for it to be looked for. */
  readonly needs?: "owners" | "trail";
  /** It speaks of suppressions and cannot itself be suppressed. */
  readonly always?: true;
  /** Who still answers, in the examples. */
  readonly owners?: readonly string[];
  /** The traffic of the last 30 days, in the examples. */
  readonly traffic?: readonly TrafficRecord[];
}

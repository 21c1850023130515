import type { PolicySet } from "../../policy/model.ts";
import type { PolicyFile } from "../../policy/parse-cache.ts";
import { compareText } from "../../policy/reporter.ts";
import { ownerGone, withoutReason, withoutTicket } from "./answerable.ts";
import type { Finding } from "./finding.ts";
import { idleRules, whyIdle } from "./idle-rules.ts";
import { knownRules } from "./known-rule.ts";
import { lifetimes } from "./lifetimes.ts";
import { LINT_CODES } from "./lint-codes.ts";
import { overlaps } from "./overlaps.ts";
import { type SuppressedFinding, suppress } from "./suppress.ts";
import { readSuppressions } from "./suppressions.ts";
import { type ObservedTraffic, unusedInTraffic } from "./traffic/unused.ts";
import { unreferenced } from "./unreferenced.ts";

/** What is looked at beside the policies. */
export interface LintOptions {
  readonly nowMs: number;
  /** Rules that expire within this time are told of. */
  readonly withinMs: number;
  /** Who still answers for policies; null = nobody said. */
  readonly owners: ReadonlySet<string> | null;
  /** Null without an audit trail. */
  readonly observed: ObservedTraffic | null;
}

/** All findings, by file, line, column and code. */
export interface LintReport {
  readonly findings: readonly Finding[];
  readonly suppressed: readonly SuppressedFinding[];
}

/** Looks through a valid set. `files` are those it was read from: their comments may keep findings quiet. */
export function lint(set: PolicySet, files: readonly PolicyFile[], options: LintOptions): LintReport {
  const { nowMs, withinMs, owners, observed } = options;
  const rules = knownRules(set);
  const matching = rules.filter((each) => whyIdle(each) === null);
  const { all, findings: bad } = readSuppressions(files);
  const found = [
    ...idleRules(rules),
    ...overlaps(matching, nowMs),
    ...lifetimes(rules, nowMs, withinMs),
    ...withoutTicket(rules),
    ...withoutReason(rules),
    ...(owners === null ? [] : ownerGone(set, owners)),
    ...(observed === null ? unreferenced(set) : unusedInTraffic(set, rules, observed, nowMs)),
  ];
  const judged = (code: Finding["code"]): boolean => {
    const { needs } = LINT_CODES[code];
    return (needs !== "owners" || owners !== null) && (needs !== "trail" || observed !== null);
  };
  const parted = suppress(found, all, nowMs, judged);
  return {
    findings: sorted([...parted.findings, ...bad], (each) => each),
    suppressed: sorted(parted.suppressed, ({ finding }) => finding),
  };
}

function sorted<T>(list: readonly T[], finding: (each: T) => Finding): T[] {
  return list.toSorted((one, other) => {
    const [a, b] = [finding(one), finding(other)];
    return (
      compareText(a.at.file, b.at.file) ||
      a.at.line - b.at.line ||
      a.at.column - b.at.column ||
      compareText(a.code, b.code) ||
      compareText(a.message, b.message)
    );
  });
}

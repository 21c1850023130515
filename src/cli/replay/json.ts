import { requestText } from "../../analyze/replay/recorded-decision.ts";
import type { ReplayReport } from "../../analyze/replay/replay.ts";

/** The stable machine-readable form, documented in docs/cli.md. */
export function replayJson(report: ReplayReport, unreadable: number): Record<string, unknown> {
  const { failures, absent, failed, classes, undecidable, undecidableClasses, ...counts } = report;
  return {
    schema: "sallyport.dev/replay/v1",
    ...counts,
    unreadable,
    absent: [...absent].map(([revision, count]) => ({ revision, count })),
    undecidable: { count: undecidable, classes: undecidableClasses },
    failed: {
      count: failed,
      examples: failures.map(({ record, got }) => ({
        id: record.id ?? null,
        time: record.time,
        from: record.subject.spiffeId,
        to: requestText(record),
        recorded: outcomeJson(record),
        got: outcomeJson(got),
      })),
    },
    classes,
  };
}

function outcomeJson(outcome: ReplayReport["failures"][number]["got"]): Record<string, unknown> {
  const { effect, shadow, reason, rules, shadowRules } = outcome;
  return { effect, shadow, reason, rules, shadowRules };
}

import { ruleText } from "../../../policy/codes/code-entry.ts";
import type { LintCodeEntry } from "./lint-code-entry.ts";

const FILE = "payments/checkout.yaml";

/** A rule without a ticket under a comment. */
function under(comment: string, lines = "to: [{service: stripe, ports: [80]}]"): string {
  return ruleText(lines).replace("  - name: charge", `  ${comment}\n  - name: charge`);
}

const GOOD = {
  files: {
    [FILE]: under("# sallyport-lint-ignore allow-without-ticket until 2027-01-31: from before there were tickets"),
  },
};

/** What is said of suppressions. None of these can be suppressed. */
export const SUPPRESSION_CODES = {
  "bad-suppression": {
    title: "suppression without code, end or reason",
    explanation:
      "A suppression is a comment `# sallyport-lint-ignore CODE until 2027-01-31: the reason`. One that lacks a part of it suppresses nothing.",
    severity: "error",
    always: true,
    bad: {
      files: {
        [FILE]: under(
          "▸# sallyport-lint-ignore allow-without-ticket until 2027-01-31",
          "to: [{service: stripe, ports: [80]}]\nticket: SEC-1",
        ),
      },
    },
    good: GOOD,
  },
  "expired-suppression": {
    title: "suppression that has ended",
    explanation: "Its day has come: what it kept quiet is reported again, and the comment is to go or to be renewed.",
    severity: "warning",
    always: true,
    bad: {
      files: {
        [FILE]: under(
          "▸# sallyport-lint-ignore allow-without-ticket until 2026-11-01: from before there were tickets",
          "to: [{service: stripe, ports: [80]}]\nticket: SEC-1",
        ),
      },
    },
    good: GOOD,
  },
  "unused-suppression": {
    title: "suppression of nothing",
    explanation:
      "There is no such finding in the block under the comment. Findings that were not looked for (without `--owners` or a trail) do not count.",
    severity: "note",
    always: true,
    bad: {
      files: {
        [FILE]: under(
          "▸# sallyport-lint-ignore allow-without-ticket until 2027-01-31: from before there were tickets",
          "to: [{service: stripe, ports: [80]}]\nticket: SEC-1",
        ),
      },
    },
    good: GOOD,
  },
} as const satisfies Readonly<Record<string, LintCodeEntry>>;

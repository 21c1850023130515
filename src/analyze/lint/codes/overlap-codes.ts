import { groupText, policyText, rootPolicyText } from "../../../policy/codes/code-entry.ts";
import type { LintCodeEntry } from "./lint-code-entry.ts";

const FILE = "payments/checkout.yaml";
const FROM = "from: [{serviceAccount: payments/checkout}]";
const CHARGE = `- name: charge
  ${FROM}
  to: [{service: stripe, ports: [80], methods: [GET, POST]}]
  ticket: SEC-1`;

/** Rules that others make idle, and rules that cannot match. */
export const OVERLAP_CODES = {
  "never-matching-rule": {
    title: "rule can never match",
    explanation:
      "The groups that the rule names hold no workload of its namespace; or its conditions cannot be seen on any port of its targets; or it denies hosts that nobody registers, which are refused before the rules are asked.",
    severity: "warning",
    bad: {
      files: {
        "groups.yaml": groupText("batch", "members: [{namespace: data}]"),
        [FILE]: policyText(
          `${CHARGE.replace("name: charge", "name: ▸charge").replace(FROM, "from: [{group: batch}]")}`,
        ),
      },
    },
    good: {
      files: {
        "groups.yaml": groupText("batch", "members: [{namespace: payments}]"),
        [FILE]: policyText(CHARGE.replace(FROM, "from: [{group: batch}]")),
      },
    },
  },
  "shadowed-rule": {
    title: "allow that a deny always beats",
    explanation:
      "Every request that the allow could let pass is denied by enforced denies that never end. The allow never decides anything. It is found by comparing what rules can match, not by trying requests: what is reported is so.",
    severity: "warning",
    bad: {
      files: {
        "company.yaml": rootPolicyText(`- name: no-payments
  effect: deny
  from: [{namespace: payments}]
  to: [{hosts: [api.stripe.com]}]
  reason: moved to another provider`),
        [FILE]: policyText(CHARGE.replace("name: charge", "name: ▸charge")),
      },
    },
    good: {
      files: {
        "company.yaml": rootPolicyText(`- name: no-deletes
  effect: deny
  from: [{namespace: payments}]
  to: [{hosts: [api.stripe.com], ports: [80], methods: [POST], paths: [/v1/admin]}]
  reason: done elsewhere`),
        [FILE]: policyText(CHARGE),
      },
    },
  },
  "contradictory-rules": {
    title: "allow and deny of the very same",
    explanation:
      "An enforced allow and an enforced deny are for the same workloads, targets and conditions. The deny beats the allow; one of the two is a mistake.",
    severity: "error",
    bad: {
      files: {
        [FILE]: policyText(`${CHARGE.replace("name: charge", "name: ▸charge")}
- name: no-charge
  effect: deny
  ${FROM}
  to: [{service: stripe, ports: [80], methods: [GET, POST]}]
  reason: not yet`),
      },
    },
    good: {
      files: {
        [FILE]: policyText(`${CHARGE}
- name: no-charge
  effect: deny
  ${FROM}
  to: [{service: stripe, ports: [80], methods: [POST]}]
  reason: not yet`),
      },
    },
  },
  "duplicate-rule": {
    title: "rule that says the same as another",
    explanation:
      "Two rules have the same effect, mode, window, workloads, targets and conditions. Of several the first by id is kept; all that are reported can be removed at once.",
    severity: "warning",
    bad: { files: { [FILE]: policyText(`${CHARGE}\n${CHARGE.replace("name: charge", "name: ▸charge-again")}`) } },
    good: { files: { [FILE]: policyText(CHARGE) } },
  },
  "redundant-rule": {
    title: "rule that other rules cover",
    explanation:
      "Everything that the rule matches, other rules of the same effect match too, for at least as long. All that are reported can be removed at once without changing an effect, for real or in the shadow.",
    severity: "note",
    bad: {
      files: {
        [FILE]: policyText(`${CHARGE}
- name: ▸read
  ${FROM}
  to: [{hosts: [api.stripe.com], ports: [80], methods: [GET], paths: ["/v1/{**}"]}]
  ticket: SEC-2`),
      },
    },
    good: {
      files: {
        [FILE]: policyText(`${CHARGE}
- name: patch
  ${FROM}
  to: [{hosts: [api.stripe.com], ports: [80], methods: [PATCH], paths: ["/v1/{**}"]}]
  ticket: SEC-2`),
      },
    },
  },
} as const satisfies Readonly<Record<string, LintCodeEntry>>;

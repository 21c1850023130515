import { groupText, ruleText, serviceText } from "../../../policy/codes/code-entry.ts";
import type { TrafficRecord } from "../traffic/collect.ts";
import type { LintCodeEntry } from "./lint-code-entry.ts";

const FILE = "payments/checkout.yaml";
const TO = "to: [{service: stripe, ports: [80]}]";
const RULE = ruleText(`${TO}\nticket: SEC-1`);
const MARKED = RULE.replace("name: charge", "name: ▸charge");
const GOOD = { files: { [FILE]: RULE } };

function charged(host: string, rule = "payments/checkout/charge"): TrafficRecord {
  const principal = "spiffe://cluster.local/ns/payments/sa/checkout";
  return { principal, namespace: "payments", kind: "http", host, port: 80, rules: [rule], shadowRules: [] };
}

const TRAFFIC = [charged("api.stripe.com")];
const REPORTS = serviceText("reports", "hosts: [reports.example.net]\nports: [{number: 80, protocol: HTTP}]");
const REPORTS_RULE = ruleText("to: [{service: reports}, {service: stripe, ports: [80]}]\nticket: SEC-1");
const CDN = serviceText("cdn", 'hosts: ["*.cdn.example.net"]\nports: [{number: 80, protocol: HTTP}]');

/** Rules past their time, without somebody to answer for them, or without use. */
export const AGE_CODES = {
  "expired-rule": {
    title: "rule that has expired",
    explanation:
      "Its `expires` has passed: it matches nothing any more, though a deny may still name it as the reason.",
    severity: "warning",
    bad: {
      files: { [FILE]: MARKED.replace("ticket:", "expires: 2026-11-20T00:00:00Z\n    reason: a trial\n    ticket:") },
    },
    good: {
      files: { [FILE]: RULE.replace("ticket:", "expires: 2027-11-20T00:00:00Z\n    reason: a trial\n    ticket:") },
    },
  },
  "expiring-rule": {
    title: "rule that expires soon",
    explanation: "Its `expires` lies within the time of `--within` (default 30d).",
    severity: "note",
    bad: {
      files: { [FILE]: MARKED.replace("ticket:", "expires: 2026-12-01T00:00:00Z\n    reason: a trial\n    ticket:") },
    },
    good: {
      files: { [FILE]: RULE.replace("ticket:", "expires: 2027-12-01T00:00:00Z\n    reason: a trial\n    ticket:") },
    },
  },
  "allow-without-ticket": {
    title: "allow without a ticket",
    explanation: "A `ticket` says where it was agreed to.",
    severity: "note",
    bad: { files: { [FILE]: ruleText(TO).replace("name: charge", "name: ▸charge") } },
    good: GOOD,
  },
  "exception-without-reason": {
    title: "rule that expires, without a reason",
    explanation:
      "A rule with `expires` is an exception. Whoever is told that it ends needs to know what it was for: give it a `reason`.",
    severity: "note",
    bad: { files: { [FILE]: MARKED.replace("ticket:", "expires: 2027-11-20T00:00:00Z\n    ticket:") } },
    good: {
      files: { [FILE]: RULE.replace("ticket:", "expires: 2027-11-20T00:00:00Z\n    reason: a trial\n    ticket:") },
    },
  },
  "owner-gone": {
    title: "policy whose owner no longer answers",
    explanation:
      "Looked for with `--owners FILE`: the `owner` of a policy with an allow is not among the owners listed there. In the example `payments@example.com` is the only one.",
    severity: "warning",
    needs: "owners",
    owners: ["payments@example.com"],
    bad: { files: { [FILE]: RULE.replace("{name: checkout}", "{name: ▸checkout}").replace("payments@", "left@") } },
    good: GOOD,
  },
  "unused-service": {
    title: "service that nothing speaks of, or that nobody asks for",
    explanation:
      "No rule, mirror or split speaks of the service (unless a fallback lets pass what no rule matches). With an audit trail: no request of the last days that reached the rules was for one of its hosts.",
    severity: "note",
    bad: {
      files: { "reports.yaml": REPORTS.replace("{name: reports}", "{name: ▸reports}"), [FILE]: RULE },
    },
    good: { files: { "reports.yaml": REPORTS, [FILE]: REPORTS_RULE } },
  },
  "unused-group": {
    title: "group that nothing names, or whose workloads ask for nothing",
    explanation:
      "No rule names the group and it sets no fallback. With an audit trail: no request of the last days that reached the rules came from one of its workloads.",
    severity: "note",
    bad: {
      files: { "groups.yaml": groupText("▸batch", "members: [{namespace: data}]"), [FILE]: RULE },
    },
    good: {
      files: { "groups.yaml": groupText("batch", "members: [{namespace: data}]\nfallback: deny"), [FILE]: RULE },
    },
  },
  "unused-rule": {
    title: "allow that nobody used",
    explanation:
      "Looked for with an audit trail: the rule decided no request of the last days, nor would have if it were enforced. Rules that began within these days are too young to tell. Denies are left alone: they may wait for years. In the example only `charge` was used.",
    severity: "note",
    needs: "trail",
    traffic: TRAFFIC,
    bad: {
      files: {
        [FILE]: `${RULE}${RULE.split("rules:\n")[1]?.replace("name: charge", "name: ▸refund").replace("[80]", "[443]")}`,
      },
    },
    good: GOOD,
  },
  "wide-wildcard": {
    title: "wildcard that few hosts went through",
    explanation:
      "Looked for with an audit trail: of all the hosts that a wildcard of a rule or a service holds, three or fewer were asked for in the last days. List them instead. In the example only `img.cdn.example.net` was.",
    severity: "note",
    needs: "trail",
    traffic: [charged("img.cdn.example.net"), charged("api.stripe.com")],
    bad: {
      files: {
        "cdn.yaml": CDN.replace("{name: cdn}", "{name: ▸cdn}"),
        [FILE]: ruleText("to: [{service: cdn}, {service: stripe, ports: [80]}]\nticket: SEC-1"),
      },
    },
    good: {
      files: {
        "cdn.yaml": CDN.replace('"*.cdn.example.net"', "img.cdn.example.net"),
        [FILE]: ruleText("to: [{service: cdn}, {service: stripe, ports: [80]}]\nticket: SEC-1"),
      },
    },
  },
} as const satisfies Readonly<Record<string, LintCodeEntry>>;

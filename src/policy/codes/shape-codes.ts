import { LIMITS } from "../limits.ts";
import { type CodeEntry, gatewayText, groupText, policyText, ruleText } from "./code-entry.ts";

const GOOD = { files: { "payments/checkout.yaml": ruleText("to: [{service: stripe}]") } };
const api = "apiVersion: sallyport.dev/v1alpha1";

/** What can be wrong with a document's keys and values. */
export const SHAPE_CODES = {
  "unknown-kind": {
    title: "kind is unknown",
    explanation: "The kinds are EgressGateway, ExternalService, IdentityGroup, EgressPolicy and DecisionTest.",
    severity: "error",
    bad: {
      files: {
        "groups.yaml": `${api}\nkind: ▸IdentityGroups\nmetadata: {name: ci}\nspec: {members: [{namespace: ci}]}\n`,
      },
    },
    good: { files: { "groups.yaml": groupText("ci", "members: [{namespace: ci}]") } },
  },
  "unknown-key": {
    title: "key is unknown",
    explanation:
      "A key that the language does not have is never ignored: a misspelt condition would open more than was meant.",
    severity: "error",
    bad: { files: { "payments/checkout.yaml": ruleText("to: [{service: stripe, ▸port: [80]}]") } },
    good: { files: { "payments/checkout.yaml": ruleText("to: [{service: stripe, ports: [80]}]") } },
  },
  "missing-key": {
    title: "key is missing",
    explanation:
      "The map lacks a key that it must have. An allow has `from` and `to`; only a root deny may leave out `from`.",
    severity: "error",
    bad: { files: { "payments/checkout.yaml": policyText("- ▸name: charge\n  from: [{namespace: payments}]") } },
    good: GOOD,
  },
  "wrong-type": {
    title: "value has the wrong type",
    explanation:
      "The value is text where a list belongs, a number where text belongs, and the like. Numbers and `true` that are meant as text stand in quotes.",
    severity: "error",
    bad: { files: { "payments/checkout.yaml": ruleText("to: [{service: stripe}]\nticket: ▸1234") } },
    good: { files: { "payments/checkout.yaml": ruleText('to: [{service: stripe}]\nticket: "1234"') } },
  },
  "unknown-value": {
    title: "value is none of those allowed",
    explanation: "The key takes one of a few words, in exactly this spelling.",
    severity: "error",
    bad: { files: { "gateway.yaml": gatewayText("fallback: ▸Deny") }, bare: true },
    good: { files: { "gateway.yaml": gatewayText("fallback: deny") }, bare: true },
  },
  "out-of-range": {
    title: "number is out of range",
    explanation: "Ports are 1 to 65535, percentages and weights 0 to 100.",
    severity: "error",
    bad: { files: { "payments/checkout.yaml": ruleText("to: [{service: stripe, ports: [▸70000]}]") } },
    good: { files: { "payments/checkout.yaml": ruleText("to: [{service: stripe, ports: [443]}]") } },
  },
  "empty-list": {
    title: "list is empty",
    explanation:
      "An empty list could be read as nothing or as everything, so it is refused. Leave the key out, or fill the list.",
    severity: "error",
    bad: { files: { "payments/checkout.yaml": ruleText("to: [{service: stripe, methods: ▸[]}]") } },
    good: { files: { "payments/checkout.yaml": ruleText("to: [{service: stripe, ports: [80], methods: [GET]}]") } },
  },
  "empty-text": {
    title: "text is empty",
    explanation: "The key needs some text.",
    severity: "error",
    bad: { files: { "payments/checkout.yaml": ruleText('to: [{service: stripe}]\nreason: ▸""') } },
    good: { files: { "payments/checkout.yaml": ruleText("to: [{service: stripe}]\nreason: card payments") } },
  },
  "invalid-text": {
    title: "text holds characters that cannot be shown",
    explanation:
      "Owners, reasons and tickets reach answers, logs and audit records. Control characters, line separators and lone surrogates in them are refused.",
    severity: "error",
    bad: { files: { "payments/checkout.yaml": ruleText('to: [{service: stripe}]\nreason: ▸"card\\e[2Jpayments"') } },
    good: { files: { "payments/checkout.yaml": ruleText("to: [{service: stripe}]\nreason: card payments") } },
  },
  "limit-exceeded": {
    title: "limit of the language is exceeded",
    explanation: `Sizes are part of the language: ${LIMITS.hostsPerRule} hosts a rule, ${LIMITS.targetsPerRule} targets a rule, ${LIMITS.selectorsPerRule} selectors a rule, ${LIMITS.pathsPerTarget} paths a target, ${LIMITS.rulesPerPolicy} rules a policy, ${LIMITS.rulesPerNamespace} rules a namespace.`,
    severity: "error",
    bad: {
      files: {
        "payments/checkout.yaml": ruleText(
          `to: [{service: stripe, ports: ▸[${Array.from({ length: LIMITS.portsPerService + 1 }, () => "80").join(", ")}]}]`,
        ),
      },
    },
    good: { files: { "payments/checkout.yaml": ruleText("to: [{service: stripe, ports: [80]}]") } },
  },
  "too-much-work": {
    title: "deciding one request could take too long",
    explanation: `Whoever writes policies cannot slow down the gateway: what the rules and groups of one namespace cost a request is bounded, and so is what those of the root namespace cost. Of the rules that can concern one workload and one host, each counts 1, each path 1 and more when it is long or a deep template, each header 1 and each value a half, four methods or upgrades 1, sixteen ports 1, each expression 12 and 1 more for each thousand that it can cost; each group or selector that holds the workload counts 2 and a little. The sum is at most ${LIMITS.workPerScope}. Join rules: several methods, paths or values in one rule, a prefix instead of many paths, one group instead of many.`,
    severity: "error",
    bad: { files: { "payments/checkout.yaml": manyPaths("▸", 5) } },
    good: { files: { "payments/checkout.yaml": manyPaths("", 1) } },
  },
  "invalid-name": {
    title: "name is not a DNS label",
    explanation:
      "Names of documents, rules and namespaces (hence of directories) have lower-case letters, digits and `-`, at most 63, and begin and end with a letter or digit.",
    severity: "error",
    bad: {
      files: {
        "payments/checkout.yaml": policyText(
          "- name: ▸Charge cards\n  from: [{namespace: payments}]\n  to: [{service: stripe}]",
        ),
      },
    },
    good: {
      files: {
        "payments/checkout.yaml": policyText(
          "- name: charge-cards\n  from: [{namespace: payments}]\n  to: [{service: stripe}]",
        ),
      },
    },
  },
  "duplicate-name": {
    title: "name is taken",
    explanation:
      "Names are unique for each kind in a namespace, rule names within their policy: decisions and audit records refer to them.",
    severity: "error",
    bad: {
      files: {
        "groups.yaml": `${groupText("ci", "members: [{namespace: ci}]")}---\n${groupText("ci", "members: [{namespace: builds}]").replace("name: ci", "name: ▸ci")}`,
      },
    },
    good: {
      files: {
        "groups.yaml": `${groupText("ci", "members: [{namespace: ci}]")}---\n${groupText("builds", "members: [{namespace: builds}]")}`,
      },
    },
  },
} as const satisfies Readonly<Record<string, CodeEntry>>;

/** A policy that lets one workload reach so many times as many paths as one target can have. */
function manyPaths(mark: string, targets: number): string {
  const paths = (which: number) =>
    Array.from({ length: LIMITS.pathsPerTarget }, (_, i) => `/v${which}/path-${i}`).join(", ");
  const to = Array.from({ length: targets }, (_, i) => `{service: stripe, ports: [80], paths: [${paths(i)}]}`).join(
    ", ",
  );
  return policyText(`${mark}- name: charge\n  from: [{serviceAccount: payments/checkout}]\n  to: [${to}]`);
}

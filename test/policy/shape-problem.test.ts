import { expect, it } from "vitest";
import { groupText, ruleText, testText } from "../../src/policy/codes/code-entry.ts";
import { loadPolicySet } from "../../src/policy/load.ts";
import { canon, policyFiles } from "./policy-files.ts";

function problems(path: string, text: string): string[] {
  return loadPolicySet(policyFiles({ [path]: text }), canon).diagnostics.map(
    ({ code, at, fix }) => `${code} ${at.line}:${at.column} ${fix}`,
  );
}

it.each([
  ["alow", ["wrong-type 7:14 allow"]],
  ["[]", ["wrong-type 7:14 null"]],
  ["{effect: denny}", ["unknown-value 7:23 deny"]],
  ["{effect: allow, rule: [a]}", ["unknown-key 7:30 rules"]],
  ["{efect: allow}", ["unknown-key 7:15 effect"]],
  ["{effect: allow, rules: a}", ["wrong-type 7:37 null"]],
])("an expectation of %s", (expectation, expected) => {
  const text = testText(`- {expect: ${expectation}, name: a, from: payments/a, to: TLS api.stripe.com}`);
  expect(problems("payments/a.test.yaml", text)).toEqual(expected);
});

it.each([
  ["to: [stripe]", ["wrong-type 9:10 null"]],
  ["to: {service: stripe}", ["wrong-type 9:9 null"]],
  ["too: [{service: stripe}]", ["unknown-key 9:5 to"]],
  ["to: [{service: stripe, ports: []}]", ["empty-list 9:35 null"]],
  ["to: [{service: stripe, headers: {toString: b}}]", ["wrong-type 9:48 null"]],
  ["to: [{service: stripe, headers: {__proto__: [b]}}]", ["unknown-key 9:38 null"]],
  ["to: [{service: stripe, __proto__: {ports: [80]}}]", ["unknown-key 9:28 null"]],
  ["to: [{service: stripe, ports: [0]}]", ["out-of-range 9:36 null"]],
  ["to: [{service: stripe, ports: [80.5]}]", ["wrong-type 9:36 null"]],
  ["to:", ["wrong-type 9:8 null"]],
])("a rule with %s", (line, expected) => {
  expect(problems("payments/a.yaml", ruleText(line))).toEqual(expected);
});

it("names what is missing and what it would be", () => {
  expect(problems("a.yaml", "kind: IdentityGroup\n")).toEqual([
    "missing-key 1:1 apiVersion: sallyport.dev/v1alpha1",
    "missing-key 1:1 null",
    "missing-key 1:1 null",
  ]);
  expect(problems("a.yaml", groupText("a", "members: [{namespace: 1}]"))).toEqual(["wrong-type 5:25 null"]);
});

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { loadPolicySet } from "../../src/policy/load.ts";
import { CLOCK_METHODS, ENVIRONMENT } from "../../src/policy/when/environment.ts";
import { createEvaluate } from "../../src/policy/when/evaluate-expression.ts";
import type { ExpressionInputs } from "../../src/policy/when/inputs.ts";
import { parseExpression } from "../../src/policy/when/parse-expression.ts";
import { canon } from "./policy-files.ts";

/** What is wrong, as `code@offset`. */
function problemsOf(text: string): string[] {
  const parsed = parseExpression(text);
  return parsed.ok ? [] : parsed.problems.map(({ code, offset }) => `${code.replace("expression-", "")}@${offset}`);
}

const INPUTS: ExpressionInputs = {
  subject: {
    id: "spiffe://cluster.local/ns/shop/sa/cart",
    trustDomain: "cluster.local",
    namespace: "shop",
    serviceAccount: "cart",
  },
  target: { host: "api.example.com", port: 80, service: "api", method: "GET", path: "/v1/x" },
  headers: new Map([["x-team", "a"]]),
  nowMs: Date.parse("2026-11-23T12:30:15Z"),
};

it.each([
  [`${"!".repeat(40)}true`, "true"],
  ['subject.namespace == "shop" && subject.id.endsWith("/sa/cart")', "true"],
  ["target.port in [80, 443] ? target.host.size() == 15 : false", "true"],
  ['size("😀") == 1 && "a" + "b" == "ab"', "true"],
  ["now.getDayOfWeek() == 1 && now.getHours() == 12 && now.getDate() == 23 && now.getDayOfMonth() == 22", "true"],
  ['now - timestamp("2026-11-23T11:00:00+00:00") == duration("1h30m15s")', "true"],
  ['headers["x-team"] == "b"', "false"],
  ['has(headers.origin) || "x-none" in headers', "false"],
  ['headers["x-none"] == "b"', "doubt"],
  ['headers["x-none"] == "b" || target.port == 80', "true"],
  ['headers["x-none"] == "b" && target.port == 81', "false"],
  ["1 / (target.port - 80) == 1", "doubt"],
  ["9223372036854775807 + target.port > 0", "doubt"],
])("%s is %s", (text, truth) => {
  expect(problemsOf(text)).toEqual([]);
  expect(createEvaluate(text)(INPUTS).truth).toBe(truth);
});

it("says why it is in doubt", () => {
  expect(createEvaluate('headers["x-none"] == "b"')(INPUTS)).toEqual({ truth: "doubt", why: "no such key: x-none" });
});

it("what validate would refuse is in doubt, whatever a bundle says", () => {
  for (const text of ["true || headers.exists(h, true)", "", "1", 'target.path.matches("(a+)+$") || true']) {
    expect(createEvaluate(text)(INPUTS).truth).toBe("doubt");
  }
});

describe("refused", () => {
  it.each([
    ["target.port ==", "syntax@14"],
    ["target.port = 80", "syntax@12"],
    ["'abc", "syntax@0"],
    ["target.port == 80; true", "syntax@17"],
    ["targt.port == 80", "unknown-name@0"],
    ["target.prot == 80", "unknown-name@7"],
    ["request.path == '/'", "unknown-name@0"],
    ["target.port == '80'", "type@0"],
    ["target.port", "type@0"],
    ["target.port && true", "type@0"],
    ["true ? 1 : 'a'", "type@0"],
    ["now > 1", "type@0"],
    ["'x' in ['a', 1]", "type@13"],
    ["target.host < 'b'", "not-allowed@0"],
    ["target.path.matches('a')", "not-allowed@0"],
    ["headers.all(h, h != 'x')", "not-allowed@0"],
    ["[1, 2].exists(x, x == target.port)", "not-allowed@0"],
    ["size(headers) > 0", "not-allowed@5"],
    ["headers == headers", "not-allowed@0"],
    ["headers['x-' + target.host] == 'a'", "not-allowed@8"],
    ["target.host in headers", "not-allowed@0"],
    ["headers['X-Team'] == 'a'", "not-allowed@8"],
    ["headers.Origin == 'a'", "not-allowed@8"],
    ["target['port'] == 80", "not-allowed@0"],
    ["subject == subject", "not-allowed@0"],
    ["target.host in []", "not-allowed@15"],
    ["has(target.host)", "not-allowed@4"],
    ["int(headers.x) == 1", "not-allowed@0"],
    ["target.port > 1.5", "not-allowed@14"],
    ["target.port == 80u", "not-allowed@15"],
    ["b'a' == b'a'", "not-allowed@0"],
    ["{'a': 1}['a'] == 1", "not-allowed@0"],
    ["now.getHours('Europe/Berlin') > 1", "not-allowed@13"],
    ["now > timestamp(target.host)", "not-allowed@16"],
    ["now > timestamp('2026-11-23')", "not-allowed@16"],
    ["now > timestamp('9999-11-23T00:00:00Z')", "not-allowed@16"],
    ["now - now < duration('1y')", "not-allowed@21"],
    ["dyn(target.port) == 80", "not-allowed@0"],
    ["cel.bind(x, 1, x == 1)", "not-allowed@0"],
    ["target.path.contains(headers.x)", "not-allowed@21"],
    ["size(target.path + headers.a + headers.b + headers.c) > 1", "too-costly@0"],
    [`${"(".repeat(60)}true${")".repeat(60)}`, "too-costly@24"],
    [Array.from({ length: 130 }, () => "target.port in [1, 2]").join(" && "), "too-costly@1441"],
  ])("%s: %s", (text, problem) => {
    expect(problemsOf(text)).toContain(problem);
    const parsed = parseExpression(text);
    for (const { message } of parsed.ok ? [] : parsed.problems) expect(message).toMatch(/^[a-z`][^\n]*[^.\n]$/);
  });

  it("all that is wrong at once, with what was meant", () => {
    const parsed = parseExpression("target.hots == 'a' && subjekt.id == 'b' && headers.X == 'c'");
    expect(parsed.ok ? [] : parsed.problems.map(({ fix }) => fix)).toEqual(["host", "subject", "x"]);
  });
});

it("nothing that a text can be makes it throw", () => {
  for (const text of [
    "\0",
    "𝒳",
    "a.b.c.d",
    "((((",
    '"\\',
    "[[[[",
    "?:",
    "!!!!",
    "target.",
    "headers[",
    "()",
    "-",
    "1".repeat(1000),
  ]) {
    expect(problemsOf(text)).not.toEqual([]);
  }
});

it("tells what an expression reads", () => {
  const read = (text: string) => {
    const parsed = parseExpression(text);
    return parsed.ok ? parsed.value.reads : null;
  };
  const nothing = { method: false, path: false, clock: false, headers: [] };
  expect(read("target.port == 80")).toEqual(nothing);
  expect(read("true || target.method == 'GET'")).toEqual({ ...nothing, method: true });
  expect(read("'x-b' in headers && has(headers.a) || headers['x-c'] == headers.a")).toEqual({
    ...nothing,
    headers: ["a", "x-b", "x-c"],
  });
  expect(read("now.getHours() > 1 && target.path != ''")).toEqual({ ...nothing, path: true, clock: true });
});

/** Where the load says that something is wrong with a `when` that is spelt like this. */
function placeOf(when: string): string[] {
  const text = `apiVersion: sallyport.dev/v1alpha1
kind: EgressGateway
metadata: {name: egress, namespace: istio-egress}
spec: {}
---
apiVersion: sallyport.dev/v1alpha1
kind: EgressPolicy
metadata: {name: p, namespace: istio-egress}
spec:
  owner: o@example.com
  rules:
  - name: r
    effect: deny
    reason: because
    when: ${when}
`;
  const { diagnostics } = loadPolicySet([{ path: "a.yaml", bytes: Buffer.from(text) }], canon);
  return diagnostics.map(
    ({ at, excerpt }) => `${at.line}:${at.column} ${excerpt?.split("\n")[0]?.slice(at.column - 1)}`,
  );
}

it.each([
  ["target.nope == 1", "15:18 nope == 1"],
  ['"target.host == \\"a\\" && target.nope == 1"', '15:43 nope == 1"'],
  ["'target.host == ''a'' && target.nope == 1'", "15:43 nope == 1'"],
  [">-\n      target.port == 80 &&\n      target.nope == 1", "17:14 nope == 1"],
  ["|\n      target.port == 80 &&\n        target.nope == 1", "17:16 nope == 1"],
  ["target.port == 80 &&\n      target.nope == 1", "16:14 nope == 1"],
  // A number in the place of a character: the last place that is certain.
  ['"target.host == \\"\\x61\\" && target.nope == 1"', '15:29 \\x61\\" && target.nope == 1"'],
])("points into the expression: %s", (when, place) => {
  expect(placeOf(when)).toEqual([place]);
});

it("an expression of more than 1,024 characters is too long", () => {
  const { diagnostics } = loadPolicySet(
    [
      {
        path: "a.yaml",
        bytes: Buffer.from(`apiVersion: sallyport.dev/v1alpha1
kind: EgressPolicy
metadata: {name: p, namespace: istio-egress}
spec: {owner: o, rules: [{name: r, effect: deny, reason: x, when: "true || ${" ".repeat(1024)}true"}]}
`),
      },
    ],
    canon,
  );
  expect(diagnostics.map(({ code }) => code)).toContain("limit-exceeded");
});

it("the documentation names all that there is to read", () => {
  const page = readFileSync(join(import.meta.dirname, "../../docs/policy-language.md"), "utf8");
  for (const [root, fields] of Object.entries(ENVIRONMENT)) {
    for (const [name, { type, text }] of Object.entries(fields)) {
      expect(page).toContain(`| \`${root}.${name}\` | ${type} | ${text} |`);
    }
  }
  for (const name of CLOCK_METHODS) expect(page).toContain(`\`${name}\``);
});

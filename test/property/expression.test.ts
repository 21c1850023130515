import * as fc from "fast-check";
import { expect, test } from "vitest";
import { createEvaluate } from "../../src/policy/when/evaluate-expression.ts";
import type { ExpressionInputs } from "../../src/policy/when/inputs.ts";
import { createSearch } from "../../src/policy/when/search.ts";
import { createTypedEnvironment } from "../../src/policy/when/typed-environment.ts";
import { budgetFor, runProperty } from "./budget.ts";

const TEXTS = ["", "a", "ab", "aab", "GET", "/v1/x", "shop", "😀", "a😀b"];
const NUMBERS = ["0", "1", "2", "-3", "80", "9223372036854775807"];
const NAMES = ["x-team", "x-none", "origin"];
const quoted = (text: string): string => JSON.stringify(text);
const text = fc.constantFrom(...TEXTS);
// Whole seconds, as in `now`: the library's lengths of time below zero are off where they have parts of one, and very long ones always. A test of their own has those.
const instant = fc.constantFrom("2026-11-23T12:30:15Z", "1970-01-01T00:00:01Z", "2027-03-31T23:59:59+02:00");
const span = fc.constantFrom("1h", "90m", "1h30m15s", "15s", "0s");

/** Texts of expressions of each kind, of all that the language has. */
const { bool } = fc.letrec<Record<"bool" | "int" | "string" | "instant" | "duration", string>>((tie) => {
  const calls = (of: fc.Arbitrary<string>, names: readonly string[]): fc.Arbitrary<string> =>
    fc.tuple(of, fc.constantFrom(...names)).map(([value, name]) => `(${value}).${name}()`);
  const pair = (of: fc.Arbitrary<string>, signs: readonly string[]): fc.Arbitrary<string> =>
    fc.tuple(of, fc.constantFrom(...signs), of).map((parts) => `(${parts.join(" ")})`);
  const either = (of: fc.Arbitrary<string>): fc.Arbitrary<string> =>
    fc.tuple(tie("bool"), of, of).map(([which, one, other]) => `(${which} ? ${one} : ${other})`);
  const header = fc.constantFrom(...NAMES.map((name) => `headers["${name}"]`), "headers.origin");
  const list = (of: fc.Arbitrary<string>): fc.Arbitrary<string> =>
    fc.tuple(of, fc.array(of, { minLength: 1, maxLength: 3 })).map(([one, all]) => `(${one} in [${all.join()}])`);
  const [string, int, time, length] = [tie("string"), tie("int"), tie("instant"), tie("duration")] as const;
  const shallow = { maxDepth: 4, depthIdentifier: "expression" } as const;
  return {
    bool: fc.oneof(
      shallow,
      fc.constantFrom("true", "false", "has(headers.origin)", '"x-team" in headers'),
      pair(int, ["==", "!=", "<", "<=", ">", ">="]),
      pair(string, ["==", "!="]),
      pair(time, ["==", "!=", "<", "<=", ">", ">="]),
      pair(length, ["<", "<=", ">", ">="]),
      pair(tie("bool"), ["&&", "||", "==", "!="]),
      pair(tie("bool"), ["&&", "||"]),
      tie("bool").map((value) => `!${value}`),
      fc.oneof(list(string), list(int)),
      fc
        .tuple(string, fc.constantFrom("startsWith", "endsWith"), string)
        .map(([of, name, part]) => `${of}.${name}(${part})`),
      fc.tuple(string, text).map(([of, part]) => `${of}.contains(${quoted(part)})`),
      either(tie("bool")),
    ),
    int: fc.oneof(
      shallow,
      fc.constantFrom(...NUMBERS, "target.port"),
      fc.oneof(
        string.map((of) => `size(${of})`),
        calls(string, ["size"]),
      ),
      calls(time, ["getFullYear", "getMonth", "getDate", "getDayOfMonth", "getDayOfWeek", "getHours", "getMinutes"]),
      calls(time, ["getSeconds"]),
      calls(
        span.map((of) => `duration("${of}")`),
        ["getHours", "getMinutes", "getSeconds"],
      ),
      pair(int, ["+", "-", "*", "/", "%"]),
      fc.constantFrom("(-target.port)", "(-3)"),
      either(int),
    ),
    string: fc.oneof(
      shallow,
      text.map(quoted),
      fc.constantFrom("subject.id", "subject.trustDomain", "subject.namespace", "subject.serviceAccount"),
      fc.constantFrom("target.host", "target.service", "target.method", "target.path"),
      header,
      pair(string, ["+"]),
      either(string),
    ),
    instant: fc.oneof(
      shallow,
      fc.constant("now"),
      instant.map((of) => `timestamp("${of}")`),
      fc.tuple(time, fc.constantFrom("+", "-"), length).map((parts) => `(${parts.join(" ")})`),
      either(time),
    ),
    duration: fc.oneof(
      shallow,
      span.map((of) => `duration("${of}")`),
      pair(time, ["-"]),
      pair(length, ["+"]),
      either(length),
    ),
  };
});

const INPUTS: readonly ExpressionInputs[] = ["GET", "a", ""].map((method, at) => ({
  subject: {
    id: "spiffe://cluster.local/ns/shop/sa/cart",
    trustDomain: "cluster.local",
    namespace: "shop",
    serviceAccount: at === 0 ? "cart" : "",
  },
  target: {
    host: "api.example.com",
    port: [80, 443, 1][at] ?? 0,
    service: "api",
    method,
    path: ["/v1/x", "a", "aab"][at] ?? "",
  },
  headers: new Map(
    at === 0
      ? [["x-team", "a"]]
      : at === 1
        ? [
            ["origin", "a😀b"],
            ["x-team", "aab"],
          ]
        : [],
  ),
  nowMs: Date.parse("2026-11-23T12:30:15Z") + at * 86_400_000,
}));

const budget = budgetFor(20_000);

test("expressions come to what the library that reads them makes of them", { timeout: budget.timeoutMs }, () => {
  const environment = createTypedEnvironment();
  const reference = (expression: string): ((inputs: ExpressionInputs) => string) => {
    const evaluate = environment.parse(expression);
    return ({ subject, target, headers, nowMs }) => {
      try {
        const now = new Date(nowMs);
        return String(evaluate({ subject, target: { ...target, port: BigInt(target.port) }, headers, now }));
      } catch {
        return "doubt";
      }
    };
  };
  const seen: Record<string, number> = { true: 0, false: 0, doubt: 0, refused: 0 };
  const property = fc.property(bool, (expression) => {
    const evaluate = createEvaluate(expression);
    const expected = reference(expression);
    for (const inputs of INPUTS) {
      const { truth, why } = evaluate(inputs);
      if (why === "it is not an expression of this language") {
        seen.refused = (seen.refused ?? 0) + 1;
        return;
      }
      seen[truth] = (seen[truth] ?? 0) + 1;
      if (truth !== expected(inputs))
        throw new Error(`${expression} is ${truth}, and by the library ${expected(inputs)}`);
    }
  });
  runProperty(property, budget);
  process.stdout.write(`expressions compared: ${JSON.stringify(seen)}\n`);
  for (const truth of ["true", "false", "doubt"]) expect(seen[truth]).toBeGreaterThan(1_000);
});

test.each([
  ...["1970-01-01T00:00:00.001Z", "2026-11-23T12:30:15.251Z", "8999-12-31T23:59:59.999Z"].map(
    (at) => `now - (now - timestamp("${at}")) == timestamp("${at}")`,
  ),
  'now == timestamp("2026-11-23T12:30:15.250Z")',
  'now - duration("15s250ms") == timestamp("2026-11-23T12:30:00Z")',
  'now + duration("1s750ms") == timestamp("2026-11-23T12:30:17Z")',
  'now - timestamp("2026-11-23T12:30:16Z") < duration("0s")',
  '(now - timestamp("2026-11-23T12:30:16Z")) + duration("750ms") <= duration("0s")',
  '(now - timestamp("2026-11-23T12:30:16Z")) + duration("750ms") >= duration("0s")',
  '(now - timestamp("2027-03-31T23:59:59+02:00")) + duration("0s") >= now - timestamp("2027-03-31T23:59:59+02:00")',
  '(now - timestamp("2026-11-23T12:30:00Z")).getSeconds() == 15',
  '(timestamp("2026-11-23T12:30:00Z") - now).getSeconds() == -15',
])("times are exact to the millisecond, however long: %s", (expression) => {
  const [inputs] = INPUTS as [ExpressionInputs];
  const nowMs = Date.parse("2026-11-23T12:30:15.250Z");
  expect(createEvaluate(expression)({ ...inputs, nowMs })).toMatchObject({ truth: "true" });
});

test("a search finds what includes finds", () => {
  const unit = fc.constantFrom("a", "a", "a", "b", "é");
  const texts = fc.string({ unit, maxLength: 300 });
  const sought = fc.oneof(
    fc.string({ unit, maxLength: 6 }),
    fc.string({ unit: fc.constantFrom("a", "b"), maxLength: 90 }),
  );
  fc.assert(
    fc.property(texts, sought, fc.boolean(), (text, sought, within) => {
      const of = within ? `${text}${sought}${text}` : text;
      expect(createSearch(sought).found(of)).toBe(of.includes(sought));
    }),
    { numRuns: 20_000, seed: budget.parameters.seed },
  );
});

import { type CaseResult, caseId } from "../../analyze/decision-tests.ts";
import { type NamedRule, rulePlace } from "../../analyze/rule-index.ts";
import type { DecisionExpectation } from "../../policy/model.ts";
import { printAnnotations } from "../github.ts";
import { type JunitCase, junitReport } from "../junit.ts";
import { colors, count, printLine } from "../output.ts";
import { repositoryPlace } from "../repository-place.ts";

type Rules = ReadonlyMap<string, NamedRule>;

/** The stable machine-readable form, documented in docs/cli.md. */
export function testJson(results: readonly CaseResult[], revision: string): Record<string, unknown> {
  const passed = results.filter((each) => each.passed).length;
  return {
    schema: "sallyport.dev/test/v1",
    revision,
    passed,
    failed: results.length - passed,
    cases: results.map((each) => ({
      test: each.test.name,
      namespace: each.test.scope,
      name: each.case.name,
      file: each.case.at.file,
      line: each.case.at.line,
      passed: each.passed,
      expected: each.case.expect,
      actual: each.actual,
      differs: each.differs,
      problem: each.problem,
    })),
  };
}

/** Prints failures for people, expected against actual, and how many passed. */
export function printResults(results: readonly CaseResult[], rules: Rules): void {
  const failures = results.filter((each) => !each.passed);
  for (const each of failures) {
    const { file, line } = each.case.at;
    printLine(`${colors.red("FAIL")} ${caseId(each.test, each.case)}  ${colors.dim(`${file}:${line}`)}`);
    for (const text of failureLines(each, rules)) printLine(`  ${text}`);
    printLine();
  }
  printSummary(results);
  const [first] = failures;
  if (first !== undefined) printLine(`Next: sallyport check ${quote(first.case.from)} ${quote(first.case.to)}`);
}

/** A JUnit XML report of the cases: one suite for each DecisionTest. */
export function testJunit(results: readonly CaseResult[], rules: Rules, policies: string): string {
  const suites = [...Map.groupBy(results, ({ test }) => test)].map(([test, cases]) => ({
    name: test.scope === "" ? test.name : `${test.scope}/${test.name}`,
    file: repositoryPlace(test.at.file, policies),
    cases: cases.map((each) => junitCase(each, rules, policies)),
  }));
  return junitReport(suites);
}

function junitCase(each: CaseResult, rules: Rules, policies: string): JunitCase {
  const { name, at } = each.case;
  if (each.passed) return { name, outcome: { kind: "passed" } };
  const text = [`${repositoryPlace(at.file, policies)}:${at.line}`, ...failureLines(each, rules)].join("\n");
  const message = `${caseId(each.test, each.case)} is not as expected`;
  return { name, outcome: { kind: "failed", type: "unexpected-decision", message, text } };
}

/** Prints an annotation for each failure, and how many passed. */
export function annotateResults(results: readonly CaseResult[], rules: Rules, policies: string): void {
  const failures = results.filter((each) => !each.passed);
  const annotations = failures.map((each) => ({
    level: "error" as const,
    title: `${caseId(each.test, each.case)} is not as expected`,
    message: failureLines(each, rules).join("\n"),
    at: each.case.at,
  }));
  printAnnotations(annotations, policies);
  printSummary(results);
}

function printSummary(results: readonly CaseResult[]): void {
  const failed = results.filter((each) => !each.passed).length;
  const passed = count(results.length - failed, "case");
  if (failed === 0) printLine(`${colors.green("ok")}  ${passed} passed`);
  else printLine(`${colors.red(`${count(failed, "case")} failed`)}, ${passed} passed`);
}

function failureLines(result: CaseResult, rules: ReadonlyMap<string, NamedRule>): string[] {
  const { case: each, actual } = result;
  const lines = [`${each.from}  ${each.to}`];
  if (actual === null) return [...lines, `cannot be asked: ${result.problem}`];
  for (const field of result.differs) {
    lines.push(`${field.padEnd(6)}  expected ${show(each.expect[field])}`);
    lines.push(`        actual   ${show(actual[field])}`);
  }
  for (const id of new Set([...actual.rules, ...expectedRules(each.expect)])) {
    lines.push(`rule    ${id}  ${rulePlace(rules, id) ?? "(no such rule)"}`);
  }
  if (!result.differs.includes("reason")) lines.push(`reason  ${actual.reason}`);
  return lines;
}

function expectedRules(expect: DecisionExpectation): readonly string[] {
  return expect.rules ?? [];
}

function show(value: string | readonly string[] | null): string {
  if (value === null) return "anything";
  if (typeof value === "string") return value;
  return value.length === 0 ? "no rules" : [...value].sort().join(", ");
}

function quote(text: string): string {
  return /^[\w./:@-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`;
}

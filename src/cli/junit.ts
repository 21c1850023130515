import { type CaseResult, caseId } from "../analyze/decision-tests.ts";
import { repositoryPlace } from "./repository-place.ts";

/**
 * A JUnit XML report: one `testsuite` for each DecisionTest. `explain` gives the lines of a failure.
 * @param policies the policy directory that places are relative to
 */
export function junitReport(
  results: readonly CaseResult[],
  explain: (result: CaseResult) => string[],
  policies: string,
): string {
  const suites = Map.groupBy(results, (each) => each.test);
  const failures = results.filter((each) => !each.passed).length;
  const lines = ['<?xml version="1.0" encoding="UTF-8"?>'];
  lines.push(`<testsuites name="sallyport" tests="${results.length}" failures="${failures}">`);
  for (const [test, cases] of suites) {
    const failed = cases.filter((each) => !each.passed).length;
    const name = escapeXml(test.scope === "" ? test.name : `${test.scope}/${test.name}`);
    const file = escapeXml(repositoryPlace(test.at.file, policies));
    lines.push(`  <testsuite name="${name}" file="${file}" tests="${cases.length}" failures="${failed}">`);
    for (const each of cases) lines.push(...caseLines(each, name, explain, policies));
    lines.push("  </testsuite>");
  }
  lines.push("</testsuites>");
  return `${lines.join("\n")}\n`;
}

function caseLines(
  each: CaseResult,
  suite: string,
  explain: (result: CaseResult) => string[],
  policies: string,
): string[] {
  const { line } = each.case.at;
  const file = repositoryPlace(each.case.at.file, policies);
  const open = `    <testcase classname="${suite}" name="${escapeXml(each.case.name)}" file="${escapeXml(file)}" line="${line}"`;
  if (each.passed) return [`${open}/>`];
  const text = escapeXml(explain(each).join("\n"));
  const message = escapeXml(`${caseId(each.test, each.case)} is not as expected`);
  return [`${open}>`, `      <failure message="${message}">${text}</failure>`, "    </testcase>"];
}

/** Also replaces what XML 1.0 cannot hold, so that no name in a policy can break the report. */
function escapeXml(text: string): string {
  const legal = text.toWellFormed().replace(/[^\t\n\r\u0020-\uD7FF\uE000-\uFFFD\u{10000}-\u{10FFFF}]/gu, "\uFFFD");
  return legal.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;").replaceAll('"', "&quot;");
}

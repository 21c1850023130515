import { type Coverage, coverageOf } from "../../analyze/covered/coverage.ts";
import { printAnnotations } from "../github.ts";
import { colors, printLine } from "../output.ts";
import { tableLines } from "../table.ts";

/** What a program reads of it, documented in docs/cli.md. @param minimum in percent, or null */
export function coverageJson(coverage: Coverage, minimum: number | null): Record<string, unknown> {
  return {
    ...coverageOf(coverage),
    minimum,
    byRule: coverage.map(({ id, rule, policy, points, whole }) => ({
      rule: id,
      file: rule.at.file,
      line: rule.at.line,
      effect: rule.effect,
      mode: policy.mode,
      cases: whole.cases,
      conditions: points.filter((each) => each !== whole),
    })),
  };
}

/** One line: how much is covered. */
export function coverageSummary(coverage: Coverage): string {
  const { rules, conditions, percent } = coverageOf(coverage);
  const parts = [`${rules.touched} of ${rules.all} rules`, `${conditions.touched} of ${conditions.all} conditions`];
  return `coverage ${percent} %: ${parts.join(", ")}`;
}

/** Prints a table of what no case touches. */
export function printCoverage(coverage: Coverage): void {
  const rows = coverage.flatMap((each) => {
    const missing = untouched(each);
    if (missing.length === 0) return [];
    const { file, line } = each.rule.at;
    const texts = missing.map(({ text }) => text);
    const [first = "", ...rest] = each.whole.cases === 0 ? ["the rule: no case matches it"] : texts;
    return [[each.id, `${file}:${line}`, `${each.whole.cases}`, first], ...rest.map((text) => ["", "", "", text])];
  });
  if (rows.length > 0) {
    const [head = "", ...lines] = tableLines(["rule", "place", "cases", "no case touches"], rows);
    printLine(`\n${colors.dim(head)}`);
    for (const line of lines) printLine(line);
  }
  printLine(`\n${coverageSummary(coverage)}`);
}

/** Prints an annotation for each rule of which something is not touched. */
export function annotateCoverage(coverage: Coverage, policies: string): void {
  const annotations = coverage.flatMap((each) => {
    const missing = untouched(each);
    if (missing.length === 0) return [];
    const message =
      each.whole.cases === 0
        ? "no case matches this rule"
        : `no case touches\n${missing.map(({ text }) => text).join("\n")}`;
    return [{ level: "notice" as const, title: `coverage of ${each.id}`, message, at: each.rule.at }];
  });
  printAnnotations(annotations, policies);
  printLine(coverageSummary(coverage));
}

function untouched({ points }: Coverage[number]): Coverage[number]["points"] {
  return points.filter(({ cases }) => cases === 0);
}

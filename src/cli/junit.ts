/** One thing that was looked at, and what came of it. */
export interface JunitCase {
  readonly name: string;
  readonly outcome:
    | { readonly kind: "passed"; readonly said?: string }
    | { readonly kind: "failed"; readonly type: string; readonly message: string; readonly text: string }
    | { readonly kind: "skipped"; readonly message: string };
}

/** What belongs together in a report. */
export interface JunitSuite {
  readonly name: string;
  /** As `repositoryPlace` names it. */
  readonly file: string;
  readonly cases: readonly JunitCase[];
}

/** A JUnit XML report. @see junit-10.xsd of Jenkins' xUnit plugin */
export function junitReport(suites: readonly JunitSuite[]): string {
  const all = suites.flatMap(({ cases }) => cases);
  const lines = [
    '<?xml version="1.0" encoding="UTF-8"?>',
    `<testsuites name="sallyport" tests="${all.length}" failures="${failures(all)}" errors="0">`,
  ];
  for (const { name, file, cases } of suites) {
    const skipped = cases.filter(({ outcome }) => outcome.kind === "skipped").length;
    const counts = `tests="${cases.length}" failures="${failures(cases)}" errors="0" skipped="${skipped}"`;
    lines.push(`  <testsuite name="${escapeXml(name)}" file="${escapeXml(file)}" ${counts}>`);
    for (const each of cases) lines.push(...caseLines(each, name));
    lines.push("  </testsuite>");
  }
  lines.push("</testsuites>");
  return `${lines.join("\n")}\n`;
}

function failures(cases: readonly JunitCase[]): number {
  return cases.filter(({ outcome }) => outcome.kind === "failed").length;
}

function caseLines({ name, outcome }: JunitCase, suite: string): string[] {
  const open = `    <testcase classname="${escapeXml(suite)}" name="${escapeXml(name)}"`;
  const inner = innerLine(outcome);
  return inner === null ? [`${open}/>`] : [`${open}>`, `      ${inner}`, "    </testcase>"];
}

function innerLine(outcome: JunitCase["outcome"]): string | null {
  switch (outcome.kind) {
    case "passed":
      return outcome.said === undefined ? null : `<system-out>${escapeXml(outcome.said)}</system-out>`;
    case "skipped":
      return `<skipped message="${escapeXml(outcome.message)}"/>`;
    case "failed": {
      const { type, message, text } = outcome;
      return `<failure type="${escapeXml(type)}" message="${escapeXml(message)}">${escapeXml(text)}</failure>`;
    }
  }
}

/** Also replaces what XML 1.0 cannot hold, so that no name in a policy can break the report. */
function escapeXml(text: string): string {
  const legal = text.toWellFormed().replace(/[^\t\n\r\u0020-\uD7FF\uE000-\uFFFD\u{10000}-\u{10FFFF}]/gu, "\uFFFD");
  return legal.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;").replaceAll('"', "&quot;");
}

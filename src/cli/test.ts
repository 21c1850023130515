import { Command } from "commander";
import { type CaseResult, caseId, runDecisionTests } from "../analyze/decision-tests.ts";
import { compileBundle } from "../bundle/compile.ts";
import { createEngine } from "../pdp/engine.ts";
import type { DecisionExpectation } from "../policy/model.ts";
import { EXIT } from "./exit-code.ts";
import { junitReport } from "./junit.ts";
import { requireSet } from "./load-set.ts";
import { colors, count, outputOption, policiesOption, printFailure, printJson, printLine } from "./output.ts";
import { indexRules, type NamedRule, rulePlace } from "./rule-index.ts";

const HELP = `
Runs every DecisionTest in *.test.yaml below the directory with the same engine as the server, at the time each
document names (\`now\`), and prints failures as expected against actual.

A case says who asks for what and what should come of it:
  - name: checkout may charge
    from: payments/checkout               or a SPIFFE ID
    to: POST http://api.stripe.com/v1/charges
    headers: {x-team: a}                  optional; so is upgrade: websocket
    expect: allow                         or {effect, reason, rules, shadow}

Examples:
  sallyport test                          run all cases
  sallyport test --filter payments/       only those whose namespace/test/case holds the text
  sallyport test --output junit           for a CI server

Exit codes: 0 all passed, 4 some failed, 3 the policies are invalid, 1 nothing could be run.`;

/** `sallyport test`: runs the decision tests of a policy directory. */
export function testCommand(): Command {
  return new Command("test")
    .summary("run the decision tests beside the policies")
    .description("Run the decision tests beside the policies.")
    .addOption(policiesOption())
    .option("--filter <text>", "only cases whose namespace/test/case holds this text")
    .addOption(outputOption(["human", "json", "junit"]))
    .addHelpText("after", HELP)
    .action(test);
}

async function test(options: { policies: string; filter?: string; output: string }): Promise<void> {
  const loaded = await requireSet(options.policies, options.output, true);
  if (loaded === null) return;
  const engine = createEngine(loaded.module, compileBundle(loaded.set));
  const [own = ""] = loaded.set.gateway.trustDomains;
  const decide = engine.decide.bind(engine);
  const results = runDecisionTests(loaded.tests, decide, own, options.filter ?? null);
  if (results.length === 0) {
    const why = options.filter === undefined ? "there are no decision tests" : `no case holds "${options.filter}"`;
    printFailure(`${why} in ${options.policies}`, "write them in *.test.yaml beside the policies; see --help");
    process.exitCode = EXIT.failure;
    return;
  }
  const failed = results.filter((each) => !each.passed).length;
  process.exitCode = failed === 0 ? EXIT.ok : EXIT.checkFailed;
  const rules = indexRules(loaded.set);
  if (options.output === "junit") process.stdout.write(junitReport(results, (each) => failureLines(each, rules)));
  else if (options.output === "json") printJson(testJson(results, engine.revision));
  else printHuman(results, rules);
}

function testJson(results: readonly CaseResult[], revision: string): Record<string, unknown> {
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

function printHuman(results: readonly CaseResult[], rules: ReadonlyMap<string, NamedRule>): void {
  const failures = results.filter((each) => !each.passed);
  for (const each of failures) {
    const { file, line } = each.case.at;
    printLine(`${colors.red("FAIL")} ${caseId(each.test, each.case)}  ${colors.dim(`${file}:${line}`)}`);
    for (const text of failureLines(each, rules)) printLine(`  ${text}`);
    printLine();
  }
  const passed = count(results.length - failures.length, "case");
  if (failures.length === 0) {
    printLine(`${colors.green("ok")}  ${passed} passed`);
    return;
  }
  printLine(`${colors.red(`${count(failures.length, "case")} failed`)}, ${passed} passed`);
  const [first] = failures;
  if (first !== undefined) printLine(`Next: sallyport check ${quote(first.case.from)} ${quote(first.case.to)}`);
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

import { Command, InvalidArgumentError } from "commander";
import { type Coverage, coverageOf, measureCoverage, questionsOf } from "../analyze/covered/coverage.ts";
import { type CaseResult, runDecisionTests } from "../analyze/decision-tests.ts";
import { indexRules } from "../analyze/rule-index.ts";
import { compileBundle } from "../bundle/compile.ts";
import { createEngine } from "../pdp/engine.ts";
import { EXIT } from "./exit-code.ts";
import { requireSet, type ValidSet } from "./load-set.ts";
import { outputOption, policiesOption, printFailure, printJson } from "./output.ts";
import { annotateCoverage, coverageJson, coverageSummary, printCoverage } from "./test/coverage.ts";
import { annotateResults, printResults, testJson, testJunit } from "./test/report.ts";
import { watchPolicies } from "./test/watch.ts";

const HELP = `
Runs every DecisionTest in *.test.yaml below the directory with the same engine as the server, at the time each
document names (\`now\`), and prints failures as expected against actual.

A case says who asks for what and what should come of it:
  - name: checkout may charge
    from: payments/checkout               or a SPIFFE ID
    to: POST http://api.stripe.com/v1/charges
    headers: {x-team: a}                  optional; so is upgrade: websocket
    expect: allow                         or {effect, reason, rules, shadow}

With --coverage also what no case touches: rules that match none, and conditions that could go without a case noticing.

Examples:
  sallyport test                          run all cases
  sallyport test --filter payments/       only those whose namespace/test/case holds the text
  sallyport test --watch                  again whenever a policy or a test changes, until Ctrl+C
  sallyport test --coverage               what do the cases not touch?
  sallyport test --min-coverage 80        fail when they touch less than 80 %
  sallyport test --output junit           for a CI server; github annotates pull requests

Exit codes: 0 all passed, 4 some failed or too little is covered, 3 the policies are invalid, 1 nothing could be run,
64 wrong options.`;

interface TestOptions {
  readonly policies: string;
  readonly filter?: string;
  readonly coverage?: boolean;
  /** In percent. */
  readonly minCoverage?: number;
  readonly watch?: boolean;
  readonly output: string;
}

/** `sallyport test`: runs the decision tests of a policy directory. */
export function testCommand(): Command {
  return new Command("test")
    .summary("run the decision tests beside the policies")
    .description("Run the decision tests beside the policies.")
    .addOption(policiesOption())
    .option("--filter <text>", "only cases whose namespace/test/case holds this text")
    .option("--coverage", "also say which rules and conditions no case touches")
    .option("--min-coverage <percent>", "the same, and fail when less is covered", parsePercent)
    .option("--watch", "run again whenever a policy file changes, until Ctrl+C")
    .addOption(outputOption(["human", "json", "junit", "github"]))
    .addHelpText("after", HELP)
    .action(test);
}

async function test(options: TestOptions): Promise<void> {
  if (options.watch !== true) return run(options);
  if (options.output !== "human") {
    printFailure("--watch is for people", "leave out --output");
    process.exitCode = EXIT.usage;
    return;
  }
  await watchPolicies(options.policies, () => run(options));
}

async function run(options: TestOptions): Promise<void> {
  const { policies, output, filter = null, minCoverage = null } = options;
  const loaded = await requireSet(policies, output, true);
  if (loaded === null) return;
  const bundle = compileBundle(loaded.set);
  const engine = createEngine(loaded.module, bundle);
  const [own = ""] = loaded.set.gateway.trustDomains;
  const decide = engine.decide.bind(engine);
  const results = runDecisionTests(loaded.tests, decide, own, filter);
  if (results.length === 0) {
    const why = filter === null ? "there are no decision tests" : `no case holds "${filter}"`;
    printFailure(`${why} in ${policies}`, "write them in *.test.yaml beside the policies; see --help");
    process.exitCode = EXIT.failure;
    return;
  }
  const wantsCoverage = options.coverage === true || minCoverage !== null;
  const coverage = wantsCoverage ? measureCoverage(engine, loaded.set, bundle, questionsOf(results, own)) : null;
  const isLow = coverage !== null && minCoverage !== null && coverageOf(coverage).percent < minCoverage;
  const failed = results.some((each) => !each.passed);
  process.exitCode = failed || isLow ? EXIT.checkFailed : EXIT.ok;
  print(loaded, results, engine.revision, coverage, options);
  if (!isLow || output === "json") return;
  printFailure(
    `less than ${minCoverage} % is covered`,
    "write cases for what the table names: sallyport test --coverage",
  );
}

function print(
  { set }: ValidSet,
  results: readonly CaseResult[],
  revision: string,
  coverage: Coverage | null,
  { output, policies, minCoverage }: TestOptions,
): void {
  const rules = indexRules(set);
  switch (output) {
    case "junit":
      process.stdout.write(testJunit(results, rules, policies));
      if (coverage !== null) process.stderr.write(`${coverageSummary(coverage)}\n`);
      return;
    case "json": {
      const told = coverage === null ? {} : { coverage: coverageJson(coverage, minCoverage ?? null) };
      printJson({ ...testJson(results, revision), ...told });
      return;
    }
    case "github":
      annotateResults(results, rules, policies);
      if (coverage !== null) annotateCoverage(coverage, policies);
      return;
    default:
      printResults(results, rules);
      if (coverage !== null) printCoverage(coverage);
  }
}

function parsePercent(text: string): number {
  const percent = /^\d{1,3}(\.\d{1,3})?$/.test(text) ? Number(text) : Number.NaN;
  if (!(percent <= 100)) throw new InvalidArgumentError("write a percentage from 0 to 100.");
  return percent;
}

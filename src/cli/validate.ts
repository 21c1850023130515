import { Command } from "commander";
import type { CodeEntry } from "../policy/codes/code-entry.ts";
import type { Diagnostic } from "../policy/diagnostic.ts";
import { DIAGNOSTIC_CODES } from "../policy/diagnostic-codes.ts";
import { formatDiagnostic } from "../policy/format-diagnostic.ts";
import type { PolicySet } from "../policy/model.ts";
import { EXIT } from "./exit-code.ts";
import { diagnosticAnnotation, printAnnotations } from "./github.ts";
import { diagnosticsJunit } from "./junit-findings.ts";
import { diagnosticJson, type LoadedSet, loadSet } from "./load-set.ts";
import { colorful, colors, count, outputOption, policiesOption, printJson, printLine } from "./output.ts";
import { sarifLog } from "./sarif.ts";

const HELP = `
Reads every *.yaml file below the directory, prints all problems at once, each with its place and, where it can be
computed, the fix. A set is valid only if all of it is; warnings do not make it invalid.

Examples:
  sallyport validate                         check ./policies
  sallyport validate --policies /etc/egress  check another directory
  sallyport validate --output sarif          for code scanning in CI
  sallyport validate --output github         annotates the lines of a pull request
  sallyport validate --output junit          for a CI server: a suite a file, a failure an error

Exit codes: 0 valid, 3 invalid, 1 the directory cannot be read, 64 wrong options.
Every code of a problem is explained in docs/diagnostics.md.`;

/** `sallyport validate`: whether a policy directory is valid. */
export function validateCommand(): Command {
  return new Command("validate")
    .summary("check that a policy directory is valid")
    .description("Check that a policy directory is valid.")
    .addOption(policiesOption())
    .addOption(outputOption(["human", "json", "sarif", "junit", "github"]))
    .addHelpText("after", HELP)
    .action(validate);
}

async function validate(options: { policies: string; output: string }): Promise<void> {
  const loaded = await loadSet(options.policies);
  if (loaded === null) {
    process.exitCode = EXIT.failure;
    return;
  }
  process.exitCode = loaded.set === null ? EXIT.invalidPolicy : EXIT.ok;
  if (options.output === "sarif") printJson(sarifLog(loaded.diagnostics, ruleOf, options.policies));
  else if (options.output === "json") printJson(validateJson(loaded));
  else if (options.output === "junit") process.stdout.write(diagnosticsJunit(loaded, options.policies));
  else if (options.output === "github") {
    printAnnotations(loaded.diagnostics.map(diagnosticAnnotation), options.policies);
    printSummary(loaded, options.policies);
  } else printHuman(loaded, options.policies);
}

function ruleOf(code: string): CodeEntry | undefined {
  return Object.entries(DIAGNOSTIC_CODES).find(([each]) => each === code)?.[1];
}

function validateJson(loaded: LoadedSet): Record<string, unknown> {
  return {
    schema: "sallyport.dev/validate/v1",
    valid: loaded.set !== null,
    errors: bySeverity(loaded.diagnostics, "error").length,
    warnings: bySeverity(loaded.diagnostics, "warning").length,
    counts: loaded.set === null ? null : { files: loaded.files, ...counts(loaded.set), tests: loaded.tests.length },
    diagnostics: loaded.diagnostics.map(diagnosticJson),
  };
}

function counts(set: PolicySet): { services: number; groups: number; policies: number; rules: number } {
  const { services, groups, policies } = set;
  const rules = policies.reduce((sum, policy) => sum + policy.rules.length, 0);
  return { services: services.length, groups: groups.length, policies: policies.length, rules };
}

function printHuman(loaded: LoadedSet, directory: string): void {
  for (const each of loaded.diagnostics) printLine(`${formatDiagnostic(each, colorful(process.stdout))}\n`);
  printSummary(loaded, directory);
}

function printSummary(loaded: LoadedSet, directory: string): void {
  const errors = bySeverity(loaded.diagnostics, "error").length;
  const warnings = bySeverity(loaded.diagnostics, "warning").length;
  const also = warnings === 0 ? "" : `, ${count(warnings, "warning")}`;
  if (loaded.set === null) {
    printLine(`${colors.red("invalid")}  ${directory}: ${count(errors, "error")}${also}`);
    printLine("Fix the places above and run it again; the codes are explained in docs/diagnostics.md.");
    return;
  }
  const { services, policies, rules } = counts(loaded.set);
  const what = [count(services, "service"), count(policies, "policy", "policies"), count(rules, "rule")].join(", ");
  printLine(`${colors.green("valid")}  ${directory}: ${count(loaded.files, "file")}, ${what}${also}`);
  const cases = loaded.tests.reduce((sum, test) => sum + test.cases.length, 0);
  if (cases === 0) printLine("It has no decision tests yet: write some in *.test.yaml beside the policies.");
  else printLine(`Next: sallyport test (${count(cases, "case")})`);
}

function bySeverity(diagnostics: readonly Diagnostic[], severity: Diagnostic["severity"]): Diagnostic[] {
  return diagnostics.filter((each) => each.severity === severity);
}

import { Command } from "commander";
import { createTwoFilesPatch } from "diff";
import type { Diagnostic } from "../policy/diagnostic.ts";
import { type Formatted, formatPolicyFile } from "../policy/format/format.ts";
import { formatDiagnostic } from "../policy/format-diagnostic.ts";
import { EXIT } from "./exit-code.ts";
import { type NamedText, readTexts, STDIN } from "./fmt/read-texts.ts";
import { diagnosticJson } from "./load-set.ts";
import { colorful, colors, count, outputOption, policiesOption, printFailure, printJson, printLine } from "./output.ts";
import { rewriteAtomically } from "./write-file.ts";

const HELP = `
Keys in the order of the documentation, quotes only where YAML needs them, two spaces, lists in the column of their key.
Brackets stay as long as they fit in 120 columns. Comments stay with what they speak of, and what the documents say does
not change. A file is written only when it changes, in one step. PATHS are files and directories; - is standard input, laid
out to standard output.

Examples:
  sallyport fmt                            lay out every file below ./policies
  sallyport fmt --check                    for CI: change nothing, show what would
  sallyport fmt policies/payments/stripe.yaml
  sallyport fmt - < draft.yaml > stripe.yaml

Exit codes: 0 done, 1 --check found a file that is laid out otherwise, or a file cannot be read or written, 3 a file is not
YAML as the policy language takes it, 64 wrong options. The rules are in docs/policy-language.md.`;

interface FmtOptions {
  readonly policies: string;
  readonly check?: boolean;
  readonly output: string;
}

/** One file and what came of it. */
interface Outcome extends NamedText {
  readonly formatted: Formatted;
  /** Why it could not be written; null when it was, or need not be. */
  readonly problem: string | null;
}

/** `sallyport fmt`: the canonical layout of policy files. */
export function fmtCommand(): Command {
  return new Command("fmt")
    .summary("lay out policy files in the canonical way")
    .description("Lay out policy files in the canonical way; comments stay, and so does the meaning.")
    .argument("[paths...]", "files and directories instead of the whole policy directory; - is standard input")
    .addOption(policiesOption())
    .option("--check", "change nothing; exit 1 and show the difference when a file is laid out otherwise")
    .addOption(outputOption(["human", "json"]))
    .addHelpText("after", HELP)
    .action(fmt);
}

async function fmt(paths: readonly string[], options: FmtOptions): Promise<void> {
  const check = options.check ?? false;
  if (paths.length > 1 && paths.includes(STDIN)) {
    printFailure("- stands alone: standard input goes to standard output", "name files or -, not both");
    process.exitCode = EXIT.usage;
    return;
  }
  const texts = await readTexts(paths, options.policies);
  if (typeof texts === "string") {
    printFailure(texts, paths.length === 0 ? "name another one with --policies DIR" : null);
    process.exitCode = EXIT.failure;
    return;
  }
  const outcomes: Outcome[] = [];
  for (const text of texts) outcomes.push(await layOut(text, check));
  process.exitCode = exitCodeOf(outcomes, check);
  if (options.output === "json") printJson(fmtJson(outcomes, check));
  else if (paths[0] === STDIN && !check) printStdin(outcomes);
  else printHuman(outcomes, check, options.policies);
}

async function layOut(text: NamedText, check: boolean): Promise<Outcome> {
  const formatted = formatPolicyFile(text.file, text.bytes);
  const outcome = { ...text, formatted, problem: null };
  if (text.unreadable !== null) return { ...outcome, problem: `it cannot be read: ${text.unreadable}` };
  if (formatted.kind === "refused") {
    return { ...outcome, problem: "it cannot be laid out without a change of what it says: it stays as it is" };
  }
  if (formatted.kind === "invalid" || !formatted.changed || check || text.file === STDIN) return outcome;
  try {
    await rewriteAtomically(text.file, formatted.text);
    return outcome;
  } catch (error) {
    return { ...outcome, problem: `it cannot be written: ${error instanceof Error ? error.message : error}` };
  }
}

function exitCodeOf(outcomes: readonly Outcome[], check: boolean): number {
  if (outcomes.some(({ problem }) => problem !== null)) return EXIT.failure;
  if (outcomes.some(({ formatted }) => formatted.kind === "invalid")) return EXIT.invalidPolicy;
  return check && outcomes.some(isChanged) ? EXIT.failure : EXIT.ok;
}

function isChanged({ formatted }: Outcome): boolean {
  return formatted.kind === "formatted" && formatted.changed;
}

function fmtJson(outcomes: readonly Outcome[], check: boolean): Record<string, unknown> {
  return {
    schema: "sallyport.dev/fmt/v1",
    check,
    changed: outcomes.filter(isChanged).length,
    files: outcomes.map((each) => ({
      file: each.file,
      changed: isChanged(each),
      problem: each.problem,
      diagnostics: diagnosticsOf(each).map(problemJson),
      diff: check && isChanged(each) ? difference(each) : null,
      text: each.file === STDIN && each.formatted.kind === "formatted" ? each.formatted.text : null,
    })),
  };
}

/** Whose namespace a problem is says nothing of its layout. */
function problemJson(diagnostic: Diagnostic): Record<string, unknown> {
  const { namespace: _, ...json } = diagnosticJson(diagnostic);
  return json;
}

function diagnosticsOf({ formatted, problem }: Outcome): readonly Diagnostic[] {
  return formatted.kind === "invalid" && problem === null ? formatted.diagnostics : [];
}

function printStdin(outcomes: readonly Outcome[]): void {
  for (const outcome of outcomes) {
    if (outcome.formatted.kind === "formatted") process.stdout.write(outcome.formatted.text);
  }
  printProblems(outcomes);
}

function printHuman(outcomes: readonly Outcome[], check: boolean, policies: string): void {
  const changed = outcomes.filter((each) => isChanged(each) && each.problem === null);
  for (const each of changed) {
    if (check) printLine(difference(each));
    else printLine(`laid out ${each.file}`);
  }
  const all = count(outcomes.length, "file");
  if (!printProblems(outcomes)) return;
  if (changed.length === 0) printLine(`${colors.green("ok")}  ${all} in the canonical layout`);
  else if (check) {
    const next = policies === "./policies" ? "run: sallyport fmt" : `run: sallyport fmt --policies ${policies}`;
    printFailure(`${changed.length} of ${all} not in the canonical layout`, next);
  } else printLine(`${all}, ${changed.length} of them changed`);
}

/** False when there were any. */
function printProblems(outcomes: readonly Outcome[]): boolean {
  for (const each of outcomes) {
    for (const found of diagnosticsOf(each)) {
      process.stderr.write(`${formatDiagnostic(found, colorful(process.stderr))}\n`);
    }
    if (each.problem !== null) printFailure(`${each.file}: ${each.problem}`, null);
  }
  const invalid = outcomes.filter((each) => diagnosticsOf(each).length > 0).length;
  if (invalid > 0)
    printFailure(`${count(invalid, "file")} cannot be laid out`, "fix the places above and run it again");
  return invalid === 0 && outcomes.every(({ problem }) => problem === null);
}

function difference({ file, bytes, formatted }: Outcome): string {
  const after = formatted.kind === "formatted" ? formatted.text : "";
  return createTwoFilesPatch(file, `${file} (laid out)`, new TextDecoder().decode(bytes), after);
}

import { Argument, Command } from "commander";
import { compare, type Difference } from "../generate/compare.ts";
import type { GenerateNote, Target } from "../generate/draft.ts";
import { type RenderedFile, renderFile } from "../generate/render-file.ts";
import { TARGETS } from "../generate/targets.ts";
import { readFilterCode } from "../pdp/engine-module.ts";
import { EXIT } from "./exit-code.ts";
import { readGenerated, writeGenerated } from "./generated-directory.ts";
import { requireSet } from "./load-set.ts";
import { colors, count, longOutputOption, policiesOption, printFailure, printJson, printLine } from "./output.ts";

const HELP = `
Targets:
${TARGETS.map(({ name, summary }) => `  ${name.padEnd(12)} ${summary}`).join("\n")}

The same policies give the same bytes. Every file names the policy files it comes from and a digest of what it depends
on, so that an edit changes only the files it concerns. Without -o and --check all documents go to standard output.

Examples:
  sallyport generate kubernetes                        print the objects
  sallyport generate kubernetes -o deploy/egress       write the files; remove stale ones of ours
  sallyport generate kubernetes --check deploy/egress  for CI: exit 5 and a diff when the directory is not what the policies say

Exit codes: 0 done, 1 a file cannot be read or written, 3 the policies are invalid or ask for what the target cannot do
safely, 5 --check found differences, 64 wrong options.`;

interface Options {
  readonly policies: string;
  readonly out?: string;
  readonly check?: string;
  readonly native?: boolean;
  readonly output: string;
}

/** `sallyport generate`: policy directory to gateway configuration. */
export function generateCommand(): Command {
  return new Command("generate")
    .summary("write the objects that make the gateway the only way out")
    .description("Write the objects that make the egress gateway the only way out.")
    .addArgument(new Argument("<target>", "what to write it for").choices(TARGETS.map(({ name }) => name)))
    .addOption(policiesOption())
    .option("-o, --out <dir>", "directory to write to")
    .option("--check <dir>", "compare with a directory instead of writing")
    .option("--native", "istio: native ALLOW and DENY policies in place of the authorizer")
    .addOption(longOutputOption(["human", "json"]))
    .addHelpText("after", HELP)
    .action(generate);
}

async function generate(name: string, options: Options): Promise<void> {
  const target = TARGETS.find((each) => each.name === name);
  if (target === undefined) throw new RangeError(`no target ${name}`);
  if (options.out !== undefined && options.check !== undefined) {
    printFailure("--out and --check exclude each other", "give one of them");
    process.exitCode = EXIT.usage;
    return;
  }
  const loaded = await requireSet(options.policies, options.output);
  if (loaded === null) return;
  const { files: drafts, notes } = target.generate(loaded.set, {
    native: options.native ?? false,
    filterCode: readFilterCode,
  });
  const refused = notes.some(({ severity }) => severity === "error");
  if (options.output === "human") for (const each of notes) process.stderr.write(`${noteText(each)}\n`);
  if (refused) {
    process.exitCode = EXIT.invalidPolicy;
    if (options.output === "json") printResult(name, notes, {});
    else printFailure(`${name} cannot do safely what the policies ask for; nothing was generated`, null);
    return;
  }
  const files = drafts.map((draft) => renderFile(name, draft));
  try {
    await deliver(target, files, notes, options);
  } catch (error) {
    printFailure(error instanceof Error ? error.message : String(error), null);
    process.exitCode = EXIT.failure;
  }
}

async function deliver(
  { name }: Target,
  files: readonly RenderedFile[],
  notes: readonly GenerateNote[],
  options: Options,
): Promise<void> {
  const json = options.output === "json";
  if (options.check !== undefined) {
    const differences = compare(name, files, await readGenerated(options.check));
    if (differences.length > 0) process.exitCode = EXIT.differs;
    if (json) printResult(name, notes, { differences });
    else printDifferences(differences, options.check);
  } else if (options.out !== undefined) {
    const { written, removed } = await writeGenerated(name, options.out, files);
    if (json) printResult(name, notes, { files: files.map(({ path }) => path), written, removed });
    else
      printLine(
        `${count(files.length, "file")} in ${options.out}: ${written.length} written, ${removed.length} removed`,
      );
  } else if (json) {
    printResult(name, notes, { files });
  } else {
    process.stdout.write(files.map(({ path, text }) => `# file: ${path}\n${text}`).join("---\n"));
  }
}

function printResult(target: string, notes: readonly GenerateNote[], result: object): void {
  printJson({ schema: "sallyport.dev/generate/v1", target, notes, ...result });
}

function printDifferences(differences: readonly Difference[], directory: string): void {
  for (const { patch } of differences) printLine(patch);
  if (differences.length === 0) printLine(`${directory} is what the policies say`);
  else printFailure(`${count(differences.length, "file")} in ${directory} differ from what the policies say`, null);
}

function noteText({ code, severity, at, message, fix }: GenerateNote): string {
  const kind = severity === "error" ? colors.red("error") : colors.yellow("warning");
  return `${at.file}:${at.line}:${at.column}: ${kind} ${code}: ${message}\n  ${fix}`;
}

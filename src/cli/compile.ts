import { Command } from "commander";
import { compileBundle } from "../bundle/compile.ts";
import { bundleRevision } from "../bundle/revision.ts";
import { EXIT } from "./exit-code.ts";
import { requireSet } from "./load-set.ts";
import { longOutputOption, policiesOption, printFailure, printJson, printLine } from "./output.ts";
import { writeAtomically } from "./write-file.ts";

const HELP = `
The bundle is one file, made for machines; the same policies give the same bytes and so the same revision, whatever the
order of files. Without --out nothing is written and only the revision is printed.

Examples:
  sallyport compile                              print the revision of ./policies
  sallyport compile -o egress.bundle             write the bundle, too
  sallyport inspect egress.bundle                say what is in it

Exit codes: 0 compiled, 3 the policies are invalid, 1 a file cannot be read or written, 64 wrong options.`;

/** `sallyport compile`: policy directory to bundle. */
export function compileCommand(): Command {
  return new Command("compile")
    .summary("compile a policy directory into a bundle")
    .description("Compile a policy directory into a bundle and print its revision.")
    .addOption(policiesOption())
    .option("-o, --out <file>", "where to write the bundle; replaced in one step")
    .addOption(longOutputOption(["human", "json"]))
    .addHelpText("after", HELP)
    .action(compile);
}

async function compile(options: { policies: string; out?: string; output: string }): Promise<void> {
  const loaded = await requireSet(options.policies, options.output);
  if (loaded === null) return;
  const bundle = compileBundle(loaded.set);
  const revision = bundleRevision(bundle);
  const file = options.out ?? null;
  if (file !== null) {
    try {
      await writeAtomically(file, bundle);
    } catch (error) {
      printFailure(`${file} cannot be written: ${error instanceof Error ? error.message : error}`, null);
      process.exitCode = EXIT.failure;
      return;
    }
  }
  if (options.output === "json") {
    printJson({ schema: "sallyport.dev/compile/v1", revision, bytes: bundle.length, file });
    return;
  }
  printLine(revision);
  if (file !== null) printLine(`${bundle.length} bytes in ${file}. Next: sallyport inspect ${file}`);
}

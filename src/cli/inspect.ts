import { readFile, stat } from "node:fs/promises";
import { Command } from "commander";
import { compileBundle } from "../bundle/compile.ts";
import { type BundleSummary, inspectBundle } from "../bundle/inspect.ts";
import { EXIT } from "./exit-code.ts";
import { requireSet } from "./load-set.ts";
import { outputOption, printFailure, printJson, printLine } from "./output.ts";

const HELP = `
Give it a bundle file, or a policy directory to look at what it would compile to.

Examples:
  sallyport inspect egress.bundle
  sallyport inspect policies --output json

Exit codes: 0 shown, 1 no such file or not a bundle, 3 the policies in the directory are invalid.`;

/** `sallyport inspect`: what is in a bundle. */
export function inspectCommand(): Command {
  return new Command("inspect")
    .summary("say what is in a bundle")
    .description("Say what is in a bundle: counts, hosts, workloads, revision, bytes.")
    .argument("<file>", "a bundle, or a policy directory")
    .addOption(outputOption(["human", "json"]))
    .addHelpText("after", HELP)
    .action(inspect);
}

async function inspect(path: string, options: { output: string }): Promise<void> {
  const bundle = await readBundle(path, options.output);
  if (bundle === null) return;
  let summary: BundleSummary;
  try {
    summary = inspectBundle(bundle);
  } catch (error) {
    printFailure(`${path} is not a bundle: ${reason(error)}`, "make one with: sallyport compile -o FILE");
    process.exitCode = EXIT.failure;
    return;
  }
  if (options.output === "json") printJson({ schema: "sallyport.dev/inspect/v1", ...summary });
  else printLine(JSON.stringify(summary));
}

async function readBundle(path: string, output: string): Promise<Uint8Array | null> {
  try {
    if (!(await stat(path)).isDirectory()) return await readFile(path);
  } catch (error) {
    printFailure(`${path} cannot be read: ${reason(error)}`, null);
    process.exitCode = EXIT.failure;
    return null;
  }
  const loaded = await requireSet(path, output);
  return loaded === null ? null : compileBundle(loaded.set);
}

function reason(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

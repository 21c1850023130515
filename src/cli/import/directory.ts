import { Command } from "commander";
import type { Imported, ImportOptions } from "../../import/imported.ts";
import type { PolicyFile } from "../../policy/parse-cache.ts";
import { readPolicyDirectory } from "../../server/read-policies.ts";
import { EXIT } from "../exit-code.ts";
import { printFailure } from "../output.ts";
import { deliver } from "./deliver.ts";
import { type CommonOptions, importOptions, withAssumptions, withCommonOptions } from "./options.ts";
import { readSourceFile } from "./read-file.ts";

export const WORKLOADS_HELP = `
A workload is known by its service account. --workloads says which accounts the pods have that a policy means by labels, and
no other pods; what it does not name is left out.

  # workloads.yaml
  - {namespace: shop, labels: {app: checkout}, serviceAccounts: [checkout]}
`;

const EXIT_CODES = `
An object that may refuse what cannot be told from it (an EnvoyFilter, a WasmPlugin, ...) keeps all that it may touch closed;
--assume-open EnvoyFilter/istio-egress/name says that it refuses nothing, and stands in the report.

Exit codes: 0 imported (read the notes), 3 the source has errors, 1 a file cannot be read or written, 64 wrong options.
What is narrowed, and why: docs/import.md. Every note is explained in docs/import-notes.md.`;

/** What an import of a directory reads. */
export interface DirectorySource {
  readonly files: readonly PolicyFile[];
  readonly workloads: PolicyFile | null;
  readonly settings: ImportOptions;
}

/** An import of the objects in a directory's YAML files. */
export interface DirectoryImport {
  readonly name: string;
  readonly summary: string;
  readonly help: string;
  /** Adds what only this import is told. */
  readonly configure: (command: Command) => Command;
  readonly convert: (source: DirectorySource, options: Options) => Imported;
}

interface Options extends CommonOptions {
  readonly selector?: Readonly<Record<string, string>>;
  readonly workloads?: string;
  readonly port?: ImportOptions["ports"];
  readonly assumeOpen?: ImportOptions["assumed"];
}

/** Adds `--workloads`. */
export function withWorkloads(command: Command): Command {
  return command.option("--workloads <file>", "service accounts of the pods that are meant by labels");
}

/** The command of an import that reads a directory. */
export function directoryCommand({ name, summary, help, configure, convert }: DirectoryImport): Command {
  const command = new Command(name)
    .summary(summary)
    .description(`Turn what a directory of YAML files holds into a policy set: ${summary}.`)
    .argument("<dir>", "the directory");
  return withCommonOptions(withAssumptions(configure(command)))
    .addHelpText("after", help.trimEnd() + EXIT_CODES)
    .action(async (directory: string, options: Options) => {
      const files = await readDirectory(directory);
      if (files === null) return;
      const { workloads: path } = options;
      const workloads = path === undefined ? null : await readSourceFile(path, "name a file with --workloads");
      if (path !== undefined && workloads === null) return;
      const settings = importOptions(options, options.port, options.assumeOpen);
      await deliver(name, convert({ files, workloads, settings }, options), options, settings.canon);
    });
}

async function readDirectory(directory: string): Promise<readonly PolicyFile[] | null> {
  try {
    return await readPolicyDirectory(directory);
  } catch (error) {
    printFailure(`${directory} cannot be read: ${error instanceof Error ? error.message : error}`, "name a directory");
    process.exitCode = EXIT.failure;
    return null;
  }
}

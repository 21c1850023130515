import { Command } from "commander";
import type { ImportOptions } from "../../import/imported.ts";
import { importSmokescreen } from "../../import/smokescreen/import.ts";
import { deliver } from "./deliver.ts";
import { type CommonOptions, importOptions, withCommonOptions, withPorts } from "./options.ts";
import { readSourceFile } from "./read-file.ts";

const HELP = `
A role of Smokescreen is whatever its clients' certificates say; here a workload is its SPIFFE ID. --roles names the
workloads of each role; roles that it does not name are left out. A role in it that the ACL does not know gets the default rule.

  # roles.yaml
  billing-worker: [{serviceAccount: billing/worker}]
  batch: [{namespace: batch}]

Examples:
  sallyport import smokescreen acl.yaml --roles roles.yaml -o policies
  sallyport import smokescreen acl.yaml --roles roles.yaml --port 443:TLS --output json

Exit codes: 0 imported (read the notes), 3 the source has errors, 1 a file cannot be read or written, 64 wrong options.
What is narrowed, and why: docs/import.md. Every note is explained in docs/import-notes.md.`;

interface Options extends CommonOptions {
  readonly roles?: string;
  readonly port?: ImportOptions["ports"];
}

/** `sallyport import smokescreen`. */
export function smokescreenCommand(): Command {
  return withCommonOptions(
    withPorts(
      new Command("smokescreen")
        .summary("an ACL file of Smokescreen")
        .description("Turn an ACL file of Smokescreen into a policy set.")
        .argument("<file>", "the ACL (version v1)")
        .option("--roles <file>", "the workloads of each role"),
    ),
  )
    .addHelpText("after", HELP)
    .action(run);
}

async function run(file: string, options: Options): Promise<void> {
  const acl = await readSourceFile(file, "name the ACL file");
  const roles =
    options.roles === undefined ? null : await readSourceFile(options.roles, "name a file of roles with --roles");
  if (acl === null || (options.roles !== undefined && roles === null)) return;
  const { port: ports } = options;
  const settings = importOptions(options, ports);
  await deliver("smokescreen", importSmokescreen(acl, roles, settings), options, settings.canon);
}

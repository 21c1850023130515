import { readFile, stat } from "node:fs/promises";
import { Command } from "commander";
import { compileBundle } from "../bundle/compile.ts";
import { type BundleSummary, inspectBundle } from "../bundle/inspect.ts";
import { EXIT } from "./exit-code.ts";
import { requireSet } from "./load-set.ts";
import { colors, count, outputOption, printFailure, printJson, printLine } from "./output.ts";

const HELP = `
Give it a bundle file, or a policy directory to look at what it would compile to.

Examples:
  sallyport inspect egress.bundle
  sallyport inspect policies --output json

Exit codes: 0 shown, 1 no such file or not a bundle, 3 the policies in the directory are invalid, 64 wrong options.`;

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

/** How many hosts and workloads people are shown. */
const SHOWN = 20;

async function inspect(path: string, options: { output: string }): Promise<void> {
  const bundle = await readBundle(path, options.output);
  if (bundle === null) return;
  const summary = summarise(bundle);
  if (summary === null) {
    printFailure(`${path} is not a bundle of this version`, "make one with: sallyport compile -o FILE");
    process.exitCode = EXIT.failure;
    return;
  }
  if (options.output === "json") printJson({ schema: "sallyport.dev/inspect/v1", ...summary });
  else printSummary(summary);
}

/** Null for bytes that are no bundle, however they are broken. */
function summarise(bundle: Uint8Array): BundleSummary | null {
  try {
    return inspectBundle(bundle);
  } catch {
    return null;
  }
}

function printSummary(summary: BundleSummary): void {
  const { counts, trustDomains, federatedTrustDomains } = summary;
  const [own = "none", ...aliases] = trustDomains;
  printLine(summary.revision);
  field("bytes", `${summary.bytes}, format ${summary.version}`);
  field("model", `${summary.securityModel}, fallback ${summary.fallback}`);
  field(
    "trust",
    [
      own,
      ...aliases.map((each) => `${each} (alias)`),
      ...federatedTrustDomains.map((each) => `${each} (federated)`),
    ].join(", "),
  );
  const parts = [
    count(counts.policies, "policy", "policies"),
    count(counts.rules, "rule"),
    count(counts.services, "service"),
  ];
  field(
    "holds",
    [...parts, count(counts.groups, "group"), count(counts.hosts, "host"), count(counts.subjects, "subject")].join(
      ", ",
    ),
  );
  list("hosts", summary.hosts);
  list("workloads", summary.workloads);
  list("invalid", summary.invalidNamespaces);
}

function list(name: string, values: readonly string[]): void {
  for (const [index, each] of values.slice(0, SHOWN).entries()) field(index === 0 ? name : "", each);
  if (values.length > SHOWN) field("", `and ${values.length - SHOWN} more: --output json shows all`);
}

function field(name: string, value: string): void {
  printLine(`  ${colors.dim(name.padEnd(9))} ${value}`);
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

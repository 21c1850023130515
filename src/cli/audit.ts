import { readFile, stat } from "node:fs/promises";
import { basename } from "node:path";
import { Command } from "commander";
import { readSegmentFile } from "../audit/read-segment-file.ts";
import { createSealCheck, type SealCheck } from "../audit/signature.ts";
import { type TrailReport, type VerifiedFile, verifyTrail } from "../audit/verify.ts";
import { EXIT } from "./exit-code.ts";
import { outputOption, printFailure, printJson, printLine } from "./output.ts";

const HELP = `
FILE is what \`sallyport serve --audit-to FILE\` writes; its rotated files FILE.1, FILE.2, … are read with it. Each batch of records
is sealed with a hash over it and the seal before, through all files: a byte that was changed, removed, added or moved shows,
and where. With --public-key every seal must be signed by that key, so nobody without the private key can write a trail anew. What no
seal can show: that the newest lines of all were cut off at a seal.

Examples:
  sallyport audit verify /var/log/sallyport/audit.jsonl
  sallyport audit verify audit.jsonl --public-key audit.pub --output json

Exit codes: 0 everything that is sealed is as it was written, 1 it is not or cannot be read.`;

/** `sallyport audit`: what can be done with a trail. */
export function auditCommand(): Command {
  const verify = new Command("verify")
    .summary("prove that an audit trail is as it was written")
    .description("Prove that an audit trail is as it was written.")
    .argument("<file>", "the audit file")
    .option("--public-key <file>", "PEM of the Ed25519 key that every seal must be signed with")
    .addOption(outputOption(["human", "json"]))
    .addHelpText("after", HELP)
    .action(verifyFile);
  return new Command("audit")
    .summary("prove that an audit trail is whole")
    .description("What can be done with an audit trail.")
    .addCommand(verify);
}

interface VerifyOptions {
  readonly output: string;
  readonly publicKey?: string;
}

async function verifyFile(file: string, { output, publicKey }: VerifyOptions): Promise<void> {
  const check = await readCheck(publicKey);
  if (check === null) return;
  const names = await filesOf(file);
  if (names.length === 0) {
    printFailure(`${file}: there is no such file`, "name the file that `sallyport serve --audit-to` writes");
    process.exitCode = EXIT.failure;
    return;
  }
  const report = verifyTrail(await readAll(names, check));
  if (report.problems.length > 0) process.exitCode = EXIT.failure;
  if (output === "json") printJson({ schema: "sallyport.dev/audit-verify/v1", ...report });
  else printReport(report, names.length, publicKey !== undefined);
}

/** How signatures are checked: not at all without a key. Null when the key cannot be used, which is then said. */
async function readCheck(publicKey: string | undefined): Promise<SealCheck | null> {
  if (publicKey === undefined) return () => null;
  try {
    return createSealCheck(await readFile(publicKey, "utf8"));
  } catch (error) {
    printFailure(
      `${publicKey}: ${error instanceof Error ? error.message : error}`,
      "name a PEM file of an Ed25519 public key",
    );
    process.exitCode = EXIT.failure;
    return null;
  }
}

/** The file and its rotated ones, oldest first. */
async function filesOf(file: string): Promise<readonly string[]> {
  const found: string[] = [];
  for (let n = 1; await isThere(`${file}.${n}`); n += 1) found.unshift(`${file}.${n}`);
  return (await isThere(file)) ? [...found, file] : found;
}

async function isThere(file: string): Promise<boolean> {
  return stat(file).then(
    () => true,
    () => false,
  );
}

async function readAll(names: readonly string[], check: SealCheck): Promise<readonly VerifiedFile[]> {
  const sizes = await Promise.all(names.map((name) => stat(name)));
  const all = sizes.reduce((sum, { size }) => sum + size, 0);
  const show = createProgress(all);
  const files: VerifiedFile[] = [];
  for (const name of names) {
    const reading = await readSegmentFile(name, check, show);
    if (reading !== null) files.push({ name: basename(name), reading });
  }
  show(0, true);
  return files;
}

/** A line of progress on a terminal, for trails that take a while. */
function createProgress(all: number): (bytes: number, end?: boolean) => void {
  const { stderr } = process;
  if (!stderr.isTTY) return () => undefined;
  let done = 0;
  let shown = -1;
  return (bytes, end = false) => {
    done += bytes;
    const percent = all === 0 ? 100 : Math.floor((done / all) * 100);
    if (end) stderr.write("\r\u001b[K");
    else if (percent !== shown) stderr.write(`\r${percent} % of ${Math.ceil(all / 1_048_576)} MiB`);
    shown = percent;
  };
}

function printReport(report: TrailReport, files: number, signed: boolean): void {
  const { problems, records, segments, trail, unsealedLines, tornBytes } = report;
  for (const { file, line, problem } of problems) printLine(`${file}${line === null ? "" : `:${line}`}: ${problem}`);
  if (problems.length > 0) {
    printLine(`not as it was written: ${problems.length} ${problems.length === 1 ? "problem" : "problems"}`);
    return;
  }
  const which = segments === null ? "" : `, ${segments[0]} to ${segments[1]} of trail ${trail}`;
  printLine(
    `as it was written${signed ? ", and signed" : ""}: ${records} records in ${files} ${files === 1 ? "file" : "files"}${which}`,
  );
  if (unsealedLines + tornBytes > 0) {
    printLine(
      `${unsealedLines} more lines and ${tornBytes} bytes at the end are not sealed yet: the server is running or was killed`,
    );
  }
}

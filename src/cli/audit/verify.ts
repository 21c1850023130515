import { readFile, stat } from "node:fs/promises";
import { basename } from "node:path";
import { Command } from "commander";
import { readSegmentFile } from "../../audit/read-segment-file.ts";
import { createSealCheck, type SealCheck } from "../../audit/signature.ts";
import { type TrailReport, type VerifiedFile, verifyTrail } from "../../audit/verify.ts";
import { EXIT } from "../exit-code.ts";
import { outputOption, parseInstant, printFailure, printJson, printLine } from "../output.ts";
import { createProgress } from "../progress.ts";
import { filesBetween } from "./files.ts";

const HELP = `
FILE is what \`sallyport serve --audit-to FILE\` writes; its closed files FILE.000001, FILE.000002.zst, … are read with it. Each batch
of records is sealed with a hash over it and the seal before, through all files: a byte that was changed, removed, added or moved shows,
and where. With --public-key every seal must be signed by that key, so nobody without the private key can write a trail anew. What no
seal can show: that the newest lines of all were cut off at a seal. The server writes one at least each minute while it runs.

Examples:
  sallyport audit verify /var/log/sallyport/audit.jsonl
  sallyport audit verify audit.jsonl --public-key audit.pub --output json
  sallyport audit verify audit.jsonl --from 2026-11-01T00:00:00Z --to 2026-12-01T00:00:00Z

Exit codes: 0 everything that is sealed is as it was written, 1 it is not or cannot be read, 64 wrong options.`;

/** `sallyport audit verify`. */
export function verifyCommand(): Command {
  return new Command("verify")
    .summary("prove that an audit trail is as it was written")
    .description("Prove that an audit trail is as it was written.")
    .argument("<file>", "the audit file")
    .option("--public-key <file>", "PEM of the Ed25519 key that every seal must be signed with")
    .option("--from <time>", "only files with lines of this time or later (RFC 3339)", parseInstant)
    .option("--to <time>", "only files with lines of this time or earlier", parseInstant)
    .addOption(outputOption(["human", "json"]))
    .addHelpText("after", HELP)
    .action(verifyFile);
}

interface VerifyOptions {
  readonly output: string;
  readonly publicKey?: string;
  readonly from?: number;
  readonly to?: number;
}

async function verifyFile(file: string, { output, publicKey, from, to }: VerifyOptions): Promise<void> {
  const check = await readCheck(publicKey);
  if (check === null) return;
  const names = await filesBetween(file, from ?? null, to ?? null);
  if (names === null) return;
  const report = verifyTrail(await readAll(names, check), from === undefined);
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

import { mkdir, readdir, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { filesOf } from "../../import/documents.ts";
import type { Imported } from "../../import/imported.ts";
import { IMPORT_CODES, type ImportNote, isExact } from "../../import/note.ts";
import { renderImported } from "../../import/render.ts";
import { reportOf } from "../../import/report.ts";
import type { Canonicaliser } from "../../policy/canonicaliser.ts";
import { formatDiagnostic } from "../../policy/format-diagnostic.ts";
import { loadPolicySet } from "../../policy/load.ts";
import type { PolicyFile } from "../../policy/parse-cache.ts";
import { printable } from "../../policy/printable.ts";
import type { SourceProblem } from "../../policy/yaml-source.ts";
import { EXIT } from "../exit-code.ts";
import { colorful, colors, count, printFailure, printJson, printLine } from "../output.ts";
import type { CommonOptions } from "./options.ts";

interface Written {
  readonly path: string;
  readonly text: string;
}

/** Writes or prints what came of an import, with the report, and sets the exit code. */
export async function deliver(
  source: string,
  imported: Imported,
  options: CommonOptions,
  canon: Canonicaliser,
): Promise<void> {
  if (!imported.ok) {
    refuse(source, imported.problems, options);
    return;
  }
  const files = filesOf(imported.set).map((file) => ({ path: file.path, text: renderImported(file) }));
  const notes = reportOf(imported);
  if (!isAccepted(files, canon)) return;
  if (options.out !== undefined && !(await write(options.out, files))) return;
  if (options.output === "json") {
    const result = options.out === undefined ? { files } : { files: files.map(({ path }) => path) };
    printJson({
      schema: "sallyport.dev/import/v1",
      source,
      exact: isExact(notes),
      notes: notes.map(noteJson),
      ...result,
    });
    return;
  }
  if (options.out === undefined) {
    for (const each of notes) process.stderr.write(`${noteText(each)}\n`);
    process.stdout.write(files.map(({ path, text }) => `# file: ${path}\n${text}`).join("---\n"));
  } else summarise(options.out, files, notes);
}

function summarise(out: string, files: readonly Written[], notes: readonly ImportNote[]): void {
  const of = (effect: string): number => notes.filter(({ code }) => IMPORT_CODES[code].effect === effect).length;
  for (const each of notes) printLine(noteText(each));
  const told = isExact(notes)
    ? colors.green("exactly what the source says")
    : colors.yellow(`${of("narrowed")} narrowed`);
  printLine(`${count(files.length, "file")} in ${out}: ${told}`);
  if (of("unread") > 0) {
    printLine(colors.yellow(`${count(of("unread"), "object")} not read, and assumed to refuse nothing.`));
  }
  if (notes.length > 0) printLine("The notes above are explained in docs/import-notes.md.");
  printLine(`Next: fill in the gateway's selector and authorizer, then: sallyport validate --policies ${out}`);
}

function refuse(source: string, problems: readonly SourceProblem[], { output }: CommonOptions): void {
  process.exitCode = EXIT.invalidPolicy;
  const errors = problems.map((each) => ({
    ...each,
    message: printable(each.message),
    fix: each.fix === null ? null : printable(each.fix),
    severity: "error" as const,
    scope: "",
  }));
  if (output === "json") {
    const diagnostics = errors.map(({ code, severity, message, at, fix }) => ({ code, severity, message, ...at, fix }));
    printJson({ schema: "sallyport.dev/error/v1", error: "invalid-source", source, diagnostics });
    return;
  }
  for (const each of errors) process.stderr.write(`${formatDiagnostic(each, colorful(process.stderr))}\n`);
  printFailure(
    `${count(errors.length, "error")} in the source; nothing was imported`,
    "mend the places above and run it again",
  );
}

const SHOWN = 20;

/** A set that `validate` refuses is never written: what it was to deny would be gone. */
function isAccepted(files: readonly Written[], canon: Canonicaliser): boolean {
  const bytes: readonly PolicyFile[] = files.map(({ path, text }) => ({ path, bytes: new TextEncoder().encode(text) }));
  const errors = loadPolicySet(bytes, canon).diagnostics.filter(({ severity }) => severity === "error");
  if (errors.length === 0) return true;
  for (const each of errors.slice(0, SHOWN))
    process.stderr.write(`${formatDiagnostic(each, colorful(process.stderr))}\n`);
  printFailure(
    `no valid policy set came of it (${count(errors.length, "error")}); nothing was written`,
    "the places above are those of the set, not of the source",
  );
  process.exitCode = EXIT.failure;
  return false;
}

async function write(out: string, files: readonly Written[]): Promise<boolean> {
  try {
    await mkdir(out, { recursive: true });
    if ((await readdir(out)).length > 0) {
      printFailure(`${out} is not empty`, "name a new directory with -o: an import writes over nothing");
      process.exitCode = EXIT.failure;
      return false;
    }
    for (const { path, text } of files) {
      await mkdir(dirname(join(out, path)), { recursive: true });
      await writeFile(join(out, path), text);
    }
    return true;
  } catch (error) {
    printFailure(error instanceof Error ? error.message : String(error), null);
    process.exitCode = EXIT.failure;
    return false;
  }
}

function noteJson({ code, at, message }: ImportNote): Record<string, unknown> {
  const { file, line, column } = at;
  return { code, effect: IMPORT_CODES[code].effect, message: printable(message), file, line, column };
}

function noteText({ code, at, message }: ImportNote): string {
  const { effect } = IMPORT_CODES[code];
  const tint = effect === "dropped" ? colors.dim : colors.yellow;
  return `${at.file}:${at.line}:${at.column}: ${tint(effect)} ${code}: ${printable(message)}`;
}

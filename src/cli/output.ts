import { InvalidArgumentError, Option } from "commander";
import { createColors } from "picocolors";

/** Colours for standard output: none unless it is a terminal, and none under NO_COLOR. */
export const colors = createColors(colorful(process.stdout));

/** Whether to colour what goes to a stream. */
export function colorful(stream: { readonly isTTY?: boolean }): boolean {
  return stream.isTTY === true && (process.env.NO_COLOR ?? "") === "";
}

/** `-o, --output FORMAT` with the formats a command knows; the first is the default. */
export function outputOption(formats: readonly [string, ...string[]]): Option {
  return new Option("-o, --output <format>", "how to print the answer").choices([...formats]).default(formats[0]);
}

/** The same without the short form, for commands where `-o` names a file. */
export function longOutputOption(formats: readonly [string, ...string[]]): Option {
  return new Option("--output <format>", "how to print the answer").choices([...formats]).default(formats[0]);
}

/** `--policies DIR`. */
export function policiesOption(): Option {
  return new Option("--policies <dir>", "directory of the policy set").default("./policies");
}

/** Prints a JSON document on standard output, for programs. */
export function printJson(value: unknown): void {
  process.stdout.write(JSON.stringify(value, null, 2));
  process.stdout.write("\n");
}

/** So many entries of a long list are in memory at once, as text. */
const PIECE = 200;

/**
 * Prints the same, of a document of which one list is long, in pieces: as a whole its text would take many times what it tells of. `document` has an empty list
 * under `key`, at the top; `render` makes what stands there for each entry.
 */
export function printLongJson<T>(
  document: Readonly<Record<string, unknown>>,
  key: string,
  entries: readonly T[],
  render: (entry: T) => unknown,
): void {
  if (entries.length === 0) {
    printJson(document);
    return;
  }
  const [opening, closing] = [`\n  ${JSON.stringify(key)}: [`, "\n  ]"];
  // Inside a text the quotes of the key would stand behind backslashes.
  const [head = "", tail = ""] = JSON.stringify(document, null, 2).split(`${opening}]`);
  process.stdout.write(head + opening);
  for (let from = 0; from < entries.length; from += PIECE) {
    const piece = JSON.stringify({ [key]: entries.slice(from, from + PIECE).map(render) }, null, 2);
    process.stdout.write((from === 0 ? "" : ",") + piece.slice(`{${opening}`.length, -`${closing}\n}`.length));
  }
  process.stdout.write(`${closing}${tail}\n`);
}

/** Prints a line on standard output, for people. */
export function printLine(text = ""): void {
  process.stdout.write(`${text}\n`);
}

/** Prints a failure and what to do about it on standard error. */
export function printFailure(message: string, next: string | null): void {
  const { red } = createColors(colorful(process.stderr));
  process.stderr.write(`${red("error:")} ${message}\n${next === null ? "" : `  ${next}\n`}`);
}

/** `1 rule`, `2 rules`. */
export function count(n: number, noun: string, plural = `${noun}s`): string {
  return `${n} ${n === 1 ? noun : plural}`;
}

/** Parses an instant of the command line into milliseconds since the epoch. @throws InvalidArgumentError */
export function parseInstant(text: string): number {
  const rfc3339 = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,3})?(Z|[+-]\d\d:\d\d)$/;
  const ms = rfc3339.test(text) ? Date.parse(text) : Number.NaN;
  if (Number.isNaN(ms)) throw new InvalidArgumentError("write it as 2026-11-23T12:00:00Z (RFC 3339).");
  return ms;
}

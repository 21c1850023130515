import type { Command, Option } from "commander";
import { createProgram } from "../../src/cli/program.ts";

/** A command and how it is called: `audit query`; empty for `sallyport` itself. */
export interface NamedCommand {
  readonly name: string;
  readonly command: Command;
  /** Has commands of its own and does nothing else. */
  readonly isGroup: boolean;
}

/** All commands, groups before their members. */
export async function allCommands(): Promise<readonly NamedCommand[]> {
  const walk = (command: Command, name: string): NamedCommand[] => [
    { name, command, isGroup: command.commands.length > 0 },
    ...command.commands.flatMap((each) => walk(each, `${name} ${each.name()}`.trim())),
  ];
  return walk(await createProgram(), "");
}

/** The options that the help shows, without `--help`. */
export function optionsOf({ command }: NamedCommand): readonly Option[] {
  return command
    .createHelp()
    .visibleOptions(command)
    .filter(({ long }) => long !== "--help");
}

/** Exit codes that a help names. */
export function exitCodesIn(help: string): readonly number[] {
  const [, told = ""] = /\nExit codes: ([\s\S]*?)(\n\n|$)/.exec(help) ?? [];
  return [...` ${told.replace(/\s+/g, " ")}`.matchAll(/(?:^|,) (\d+) /g)].map(([, code]) => Number(code));
}

/** Command lines among a help's examples, in words, without the program; what a shell does with their output is left out. */
export function examplesIn(help: string): readonly (readonly string[])[] {
  const lines = help.replace(/ \\\n\s+/g, " ").split("\n");
  return lines
    .filter((line) => /^ {2}sallyport /.test(line))
    .map((line) => line.trim().split(/ {2,}| [|>] /)[0] ?? "")
    .map((line) => [...line.matchAll(/"([^"]*)"|'([^']*)'|(\S+)/g)].map(([, a, b, c]) => a ?? b ?? c ?? "").slice(1));
}

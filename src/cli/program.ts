import { Command, CommanderError } from "commander";
import { VERSION } from "../server/version.ts";
import { COMMANDS } from "./commands.ts";
import { EXIT } from "./exit-code.ts";

const VERSION_FLAGS = ["-V", "--version"] as const;

/** The command line with the command of this name; with all of them when there is none, and with none for the version, which none of them knows. */
export async function createProgram(name = ""): Promise<Command> {
  const program = new Command("sallyport")
    .description("Decides which workload may reach which external host, at the mesh's egress gateway.")
    .version(`sallyport ${VERSION}`, VERSION_FLAGS.join(", "), "print the version")
    .showHelpAfterError("(add --help for examples)")
    .addHelpText("after", "\nsallyport COMMAND --help shows examples and exit codes. All of them: docs/cli.md.")
    .exitOverride();
  // A server that starts again answers sooner when only what it needs is read.
  const loaded = await Promise.all(commandsFor(name).map((load) => load()));
  for (const command of loaded) {
    program.addCommand(command.copyInheritedSettings(program));
    for (const each of command.commands) each.copyInheritedSettings(program);
  }
  return program;
}

function commandsFor(name: string): readonly (() => Promise<Command>)[] {
  if (VERSION_FLAGS.some((flag) => flag === name)) return [];
  const named = COMMANDS.get(name);
  return named === undefined ? [...COMMANDS.values()] : [named];
}

/** Runs `sallyport ARGS…`. What it prints and the exit code are this process's. */
export async function runProgram(args: readonly string[]): Promise<void> {
  const program = await createProgram(args[0]);
  try {
    await program.parseAsync(args, { from: "user" });
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    process.exitCode = error.exitCode === 0 ? EXIT.ok : EXIT.usage;
  }
}

import { Command, CommanderError } from "commander";
import { VERSION } from "../server/version.ts";
import { COMMANDS } from "./commands.ts";
import { EXIT } from "./exit-code.ts";

/** The command line with the command of this name; with all of them when there is none. */
export async function createProgram(name = ""): Promise<Command> {
  const program = new Command("sallyport")
    .description("Decides which workload may reach which external host, at the mesh's egress gateway.")
    .version(`sallyport ${VERSION}`, "-V, --version", "print the version")
    .showHelpAfterError("(add --help for examples)")
    .addHelpText("after", "\nsallyport COMMAND --help shows examples and exit codes. All of them: docs/cli.md.")
    .exitOverride();
  // A server that starts again answers sooner when only what it needs is read.
  const named = COMMANDS.get(name);
  const loaded = await Promise.all(named === undefined ? [...COMMANDS.values()].map((load) => load()) : [named()]);
  for (const command of loaded) {
    program.addCommand(command.copyInheritedSettings(program));
    for (const each of command.commands) each.copyInheritedSettings(program);
  }
  return program;
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

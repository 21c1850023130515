#!/usr/bin/env node
import { Command, CommanderError } from "commander";
import { COMMANDS } from "./commands.ts";
import { EXIT } from "./exit-code.ts";

const program = new Command("sallyport")
  .description("Decides which workload may reach which external host, at the mesh's egress gateway.")
  .showHelpAfterError("(add --help for examples)")
  .exitOverride();

// A server that starts again answers sooner when only what it needs is read.
const named = COMMANDS.get(process.argv[2] ?? "");
const loaded = await Promise.all(named === undefined ? [...COMMANDS.values()].map((load) => load()) : [named()]);
for (const command of loaded) {
  program.addCommand(command.copyInheritedSettings(program));
  for (const each of command.commands) each.copyInheritedSettings(program);
}

try {
  await program.parseAsync();
} catch (error) {
  if (!(error instanceof CommanderError)) throw error;
  process.exitCode = error.exitCode === 0 ? EXIT.ok : EXIT.usage;
}

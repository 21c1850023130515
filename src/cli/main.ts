#!/usr/bin/env node
import { Command, CommanderError } from "commander";
import { auditCommand } from "./audit.ts";
import { checkCommand } from "./check.ts";
import { compileCommand } from "./compile.ts";
import { demoCommand } from "./demo.ts";
import { exceptionsCommand } from "./exceptions.ts";
import { EXIT } from "./exit-code.ts";
import { explainCommand } from "./explain.ts";
import { generateCommand } from "./generate.ts";
import { inspectCommand } from "./inspect.ts";
import { lintCommand } from "./lint.ts";
import { serveCommand } from "./serve.ts";
import { testCommand } from "./test.ts";
import { validateCommand } from "./validate.ts";

const program = new Command("sallyport")
  .description("Decides which workload may reach which external host, at the mesh's egress gateway.")
  .showHelpAfterError("(add --help for examples)")
  .exitOverride();

const commands = [
  serveCommand(),
  validateCommand(),
  testCommand(),
  checkCommand(),
  explainCommand(),
  lintCommand(),
  exceptionsCommand(),
  compileCommand(),
  inspectCommand(),
  generateCommand(),
  auditCommand(),
  demoCommand(),
];
for (const command of commands) {
  program.addCommand(command.copyInheritedSettings(program));
  for (const each of command.commands) each.copyInheritedSettings(program);
}

try {
  await program.parseAsync();
} catch (error) {
  if (!(error instanceof CommanderError)) throw error;
  process.exitCode = error.exitCode === 0 ? EXIT.ok : EXIT.usage;
}

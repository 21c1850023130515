import type { Command } from "commander";

/** Every command by its name, in the order of the help. A command's file is read when it is used. */
export const COMMANDS: ReadonlyMap<string, () => Promise<Command>> = new Map([
  ["serve", async () => (await import("./serve.ts")).serveCommand()],
  ["validate", async () => (await import("./validate.ts")).validateCommand()],
  ["test", async () => (await import("./test.ts")).testCommand()],
  ["check", async () => (await import("./check.ts")).checkCommand()],
  ["explain", async () => (await import("./explain.ts")).explainCommand()],
  ["fmt", async () => (await import("./fmt.ts")).fmtCommand()],
  ["learn", async () => (await import("./learn.ts")).learnCommand()],
  ["promote", async () => (await import("./promote.ts")).promoteCommand()],
  ["lint", async () => (await import("./lint.ts")).lintCommand()],
  ["lsp", async () => (await import("./lsp.ts")).lspCommand()],
  ["exceptions", async () => (await import("./exceptions.ts")).exceptionsCommand()],
  ["diff", async () => (await import("./diff.ts")).diffCommand()],
  ["replay", async () => (await import("./replay.ts")).replayCommand()],
  ["compile", async () => (await import("./compile.ts")).compileCommand()],
  ["inspect", async () => (await import("./inspect.ts")).inspectCommand()],
  ["generate", async () => (await import("./generate.ts")).generateCommand()],
  ["import", async () => (await import("./import.ts")).importCommand()],
  ["audit", async () => (await import("./audit.ts")).auditCommand()],
  ["demo", async () => (await import("./demo.ts")).demoCommand()],
]);

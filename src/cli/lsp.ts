import { Command, Option } from "commander";
import { createConnection, ProposedFeatures } from "vscode-languageserver/node";
import { serveEditor } from "./lsp/session.ts";
import { splitHeaders } from "./lsp/split-headers.ts";
import { policiesOption } from "./output.ts";

const HELP = `
Speaks the Language Server Protocol on standard input and output; an editor starts it. While policies are typed it shows
diagnostics of the whole set, what is not saved included; completes keys, values and what the set names; tells on hover what
comes of a rule or a test case, by the engine, and what a service or group is; and goes to definitions.

The directory is relative to the folder that the editor has open. docs/editor.md shows how to set editors up.

Examples:
  sallyport lsp
  sallyport lsp --policies egress/policies

Exit codes: 0 after shutdown, 1 when the editor went away without, 64 wrong options.`;

/** `sallyport lsp`: a language server for editors. */
export function lspCommand(): Command {
  return new Command("lsp")
    .summary("help an editor: diagnostics, completion, hover, definitions")
    .description("A language server: helps an editor while policies are typed.")
    .addOption(policiesOption())
    .addOption(new Option("--stdio", "speak on standard input and output, which it always does").hideHelp())
    .addHelpText("after", HELP)
    .action(lsp);
}

function lsp({ policies }: { readonly policies: string }): void {
  const input = process.stdin.pipe(splitHeaders());
  serveEditor(createConnection(ProposedFeatures.all, input, process.stdout), policies);
}

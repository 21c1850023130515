import { Command } from "commander";
import { queryCommand } from "./audit/query.ts";
import { tailCommand } from "./audit/tail.ts";
import { verifyCommand } from "./audit/verify.ts";

/** `sallyport audit`: what can be done with a trail. */
export function auditCommand(): Command {
  return new Command("audit")
    .summary("prove that an audit trail is whole, ask it, watch it")
    .description("What can be done with an audit trail.")
    .addHelpText("after", "\nsallyport audit COMMAND --help shows examples and exit codes.")
    .addCommand(verifyCommand())
    .addCommand(queryCommand())
    .addCommand(tailCommand());
}

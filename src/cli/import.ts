import { Command } from "commander";
import { asmCommand } from "./import/asm.ts";
import { istioCommand } from "./import/istio.ts";
import { networkPolicyCommand } from "./import/networkpolicy.ts";
import { smokescreenCommand } from "./import/smokescreen.ts";

/** `sallyport import`: other tools' policies, as ours. */
export function importCommand(): Command {
  return new Command("import")
    .summary("turn another tool's egress policies into a policy set")
    .description("Turn another tool's egress policies into a policy set, never into one that lets more pass.")
    .addHelpText("after", "\nsallyport import COMMAND --help shows examples and exit codes.")
    .addCommand(smokescreenCommand())
    .addCommand(istioCommand())
    .addCommand(asmCommand())
    .addCommand(networkPolicyCommand());
}

import type { Command } from "commander";
import { importAsm } from "../../import/asm/import.ts";
import { directoryCommand, WORKLOADS_HELP, withWorkloads } from "./directory.ts";

const HELP = `
Reads the ASMEgressTrafficPolicy objects in the YAML files of a directory, also as \`kubectl get -o yaml\` prints them.
${WORKLOADS_HELP}
Examples:
  sallyport import asm mesh --owner mesh-team@example.com -o policies
  sallyport import asm mesh --owner mesh-team@example.com --workloads workloads.yaml --output json
`;

/** `sallyport import asm`. */
export function asmCommand(): Command {
  return directoryCommand({
    name: "asm",
    summary: "ASMEgressTrafficPolicy of Alibaba Cloud Service Mesh",
    help: HELP,
    configure: withWorkloads,
    convert: ({ files, workloads, settings }) => importAsm(files, workloads, settings),
  });
}

import type { Command } from "commander";
import { importNetworkPolicy } from "../../import/network-policy/import.ts";
import { directoryCommand, WORKLOADS_HELP, withWorkloads } from "./directory.ts";
import { withPorts } from "./options.ts";

const HELP = `
Reads the network policies in the YAML files of a directory that know names: CiliumNetworkPolicy (toFQDNs), FQDNNetworkPolicy of
GKE, NetworkPolicy and GlobalNetworkPolicy of Calico (domains). NetworkPolicy of Kubernetes knows addresses alone: it is told of.
${WORKLOADS_HELP}
Examples:
  sallyport import networkpolicy cluster --owner platform@example.com -o policies
  sallyport import networkpolicy cluster --owner platform@example.com --workloads workloads.yaml --port 443:TLS

`;

/** `sallyport import networkpolicy`. */
export function networkPolicyCommand(): Command {
  return directoryCommand({
    name: "networkpolicy",
    summary: "network policies that know names: Cilium, GKE, Calico",
    help: HELP,
    configure: (command) => withPorts(withWorkloads(command)),
    convert: ({ files, workloads, settings }) => importNetworkPolicy(files, workloads, settings),
  });
}

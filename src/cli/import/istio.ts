import { type Command, InvalidArgumentError } from "commander";
import { importIstio } from "../../import/istio/import.ts";
import { directoryCommand } from "./directory.ts";

const HELP = `
Reads AuthorizationPolicy, ServiceEntry and Sidecar in the YAML files of a directory, also as \`kubectl get -o yaml\` prints
them; VirtualService and Gateway bound what is allowed; of DestinationRule what it says of TLS. The policies that count are those of the
egress gateway: in its namespace or istio-system, for pods with its labels.

Examples:
  sallyport import istio mesh --owner mesh-team@example.com -o policies
  sallyport import istio mesh --owner mesh-team@example.com --assume-open EnvoyFilter/istio-egress/access-log -o policies
  sallyport import istio mesh --owner mesh-team@example.com --gateway istio-system/istio-egressgateway --selector istio=egressgateway

`;

type Labels = Readonly<Record<string, string>>;

/** `sallyport import istio`. */
export function istioCommand(): Command {
  return directoryCommand({
    name: "istio",
    summary: "AuthorizationPolicy, ServiceEntry and Sidecar of Istio",
    help: HELP,
    configure: (command) =>
      command.option(
        "--selector <labels>",
        "labels of the gateway's pods, as key=value,key=value (default: those that the Gateway objects select)",
        parseLabels,
      ),
    convert: ({ files, settings }, options) => importIstio(files, options.selector ?? null, settings),
  });
}

function parseLabels(text: string): Labels {
  const pairs = text.split(",").map((each) => each.split("="));
  if (pairs.some((pair) => pair.length !== 2 || pair.some((part) => part === ""))) {
    throw new InvalidArgumentError("write it as istio=egressgateway,app=egress.");
  }
  return Object.fromEntries(pairs);
}

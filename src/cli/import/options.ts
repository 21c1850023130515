import { type Command, InvalidArgumentError } from "commander";
import { parseAssumedOpen } from "../../import/assumed.ts";
import type { ImportOptions } from "../../import/imported.ts";
import { createCanonicaliser } from "../../pdp/canonicaliser.ts";
import { readEngineModule } from "../../pdp/engine-module.ts";
import type { PortProtocol } from "../../policy/model.ts";
import { parseName, parseTrustDomain } from "../../policy/token.ts";
import { longOutputOption } from "../output.ts";

/** What every `import` is told besides its source. */
export interface CommonOptions {
  readonly owner?: string;
  readonly gateway: ImportOptions["gateway"];
  readonly trustDomain: string;
  readonly out?: string;
  readonly output: string;
}

type Port = ImportOptions["ports"][number];

/** Adds the options that every `import` has. */
export function withCommonOptions(command: Command): Command {
  return command
    .option("--owner <owner>", "who answers for a policy where the source does not say", parseOwner)
    .option("--gateway <namespace/name>", "the egress gateway", parseGateway, DEFAULT_GATEWAY)
    .option("--trust-domain <domain>", "the mesh's own trust domain", parseDomain, "cluster.local")
    .option("-o, --out <dir>", "directory to write to; must be empty or new")
    .addOption(longOutputOption(["human", "json"]));
}

const DEFAULT_GATEWAY = { namespace: "istio-egress", name: "egress", toString: () => "istio-egress/egress" };

/** `--port`, for sources that open every port of a host. */
export function withPorts(command: Command): Command {
  const help = "what applications dial where the source opens every port; may be repeated (default: 80:HTTP 443:TLS)";
  return command.option("--port <number:protocol>", help, parsePort);
}

const DEFAULT_PORTS: readonly Port[] = [
  { number: 80, protocol: "HTTP" },
  { number: 443, protocol: "TLS" },
];

/** `--assume-open`, for sources with objects that may refuse what cannot be told. */
export function withAssumptions(command: Command): Command {
  const help = "an object that refuses nothing, though it cannot be told from it; may be repeated";
  return command.option("--assume-open <kind/namespace/name>", help, parseAssumption);
}

function parseAssumption(text: string, before: ImportOptions["assumed"] = []): ImportOptions["assumed"] {
  const assumed = parseAssumedOpen(text);
  if (assumed === null) throw new InvalidArgumentError("write it as EnvoyFilter/istio-egress/name.");
  return [...before, assumed];
}

/** The options as the import takes them. */
export function importOptions(
  options: CommonOptions,
  ports: readonly Port[] = DEFAULT_PORTS,
  assumed: ImportOptions["assumed"] = [],
): ImportOptions {
  const { namespace, name } = options.gateway;
  return {
    owner: options.owner ?? null,
    gateway: { namespace, name },
    trustDomain: options.trustDomain,
    ports,
    assumed,
    canon: createCanonicaliser(readEngineModule()),
  };
}

function parseOwner(text: string): string {
  if (text.trim() === "" || text.length > 1000 || /\p{Cc}/u.test(text)) {
    throw new InvalidArgumentError("write one line, such as team@example.com.");
  }
  return text;
}

function parseGateway(text: string): ImportOptions["gateway"] {
  const [namespace = "", name = "", ...more] = text.split("/");
  if (more.length > 0 || !parseName(namespace).ok || !parseName(name).ok) {
    throw new InvalidArgumentError("write it as istio-egress/egress (namespace/name).");
  }
  return { namespace, name };
}

function parseDomain(text: string): string {
  const parsed = parseTrustDomain(text);
  if (!parsed.ok) throw new InvalidArgumentError("write it as cluster.local, without spiffe://.");
  return parsed.value;
}

const PROTOCOLS: readonly PortProtocol[] = ["HTTP", "HTTPS", "TLS", "GRPC", "TCP"];

function parsePort(text: string, before: readonly Port[] = []): readonly Port[] {
  const match = /^([1-9]\d{0,4}):(\w+)$/.exec(text);
  const number = Number(match?.[1]);
  const protocol = PROTOCOLS.find((each) => each === match?.[2]);
  if (protocol === undefined || !(number <= 65_535)) {
    throw new InvalidArgumentError(`write it as 8443:TLS, with one of ${PROTOCOLS.join(", ")}.`);
  }
  if (before.some((each) => each.number === number)) throw new InvalidArgumentError(`port ${number} stands twice.`);
  return [...before, { number, protocol }];
}

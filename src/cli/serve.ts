import { Command, Option } from "commander";
import { stringify } from "yaml";
import { parseListenAddress } from "../server/address.ts";
import { createLogger } from "../server/logger.ts";
import type { ServerOptions } from "../server/options.ts";
import { startServer } from "../server/server.ts";
import { auditOptions } from "./audit-options.ts";
import { readConfig, SETTINGS } from "./config.ts";
import { type Config, parseDuration, parseSize } from "./config-settings.ts";
import { EXIT } from "./exit-code.ts";
import { printFailure } from "./output.ts";

const HELP = `
Every setting may stand in sallyport.config.yaml, in a SALLYPORT_* variable or in a flag; flags win, then variables.
docs/configuration.md lists them all. What is in force: sallyport serve --print-config.

Examples:
  sallyport serve                                                  ./policies on 127.0.0.1:9191, audit on standard output
  sallyport serve --policies /etc/sallyport --listen unix:/run/sallyport.sock --audit-to /var/log/sallyport/audit.jsonl
  sallyport serve --listen 0.0.0.0:9191 --tls-certificate tls.crt --tls-key tls.key --tls-client-ca ca.crt \\
    --allowed-callers spiffe://cluster.local/ns/istio-egress/sa/egress

On SIGTERM it stops being ready, answers for a while (drain.wait), lets calls finish and exits with 0.
Exit codes: 0 drained, 1 an address or a file cannot be had, 3 there are no policies to begin with, 64 wrong settings.`;

/** `sallyport serve`: answers Envoy. */
export function serveCommand(): Command {
  const command = new Command("serve")
    .summary("answer Envoy")
    .description("Answer Envoy's authorization checks from a policy directory.")
    .option("--config <file>", "configuration file (default: sallyport.config.yaml, if there is one)")
    .option("--print-config", "print the configuration in force and exit");
  for (const { flag, description, standard } of SETTINGS) {
    const list = Array.isArray(standard);
    const shown = list ? standard.join(", ") || "none" : String(standard) || "none";
    command.addOption(new Option(`${flag} <${list ? "value..." : "value"}>`, `${description} (default: ${shown})`));
  }
  return command.addHelpText("after", HELP).action(serve);
}

async function serve(options: Record<string, unknown>): Promise<void> {
  const file = typeof options.config === "string" ? options.config : null;
  const read = readConfig({ file, env: process.env, flags: flagsOf(options) });
  if (!read.ok) {
    for (const problem of read.problems) printFailure(problem, null);
    process.exitCode = EXIT.usage;
    return;
  }
  if (options.printConfig === true) {
    process.stdout.write(stringify(read.config));
    return;
  }
  await run(read.config);
}

async function run(config: Config): Promise<void> {
  const log = createLogger(config.log.level);
  let server: Awaited<ReturnType<typeof startServer>>;
  try {
    server = await startServer(serverOptions(config), log);
  } catch (error) {
    printFailure(error instanceof Error ? error.message : String(error), null);
    process.exitCode = EXIT.failure;
    return;
  }
  const kind = server.firstLoad;
  // A cluster may have its policies later, or its API server may be away: until then everything is refused.
  if (config.policySource === "directory" && (kind === "empty" || kind === "failed" || kind === "timeout")) {
    printFailure(
      `there are no policies to begin with in ${config.policies}`,
      "name another directory with --policies DIR",
    );
    await server.drain();
    process.exit(kind === "empty" ? EXIT.invalidPolicy : EXIT.failure);
  }
  const stop = async () => {
    process.once("SIGTERM", abandon).once("SIGINT", abandon);
    await server.drain();
    process.exit(EXIT.ok);
  };
  process.once("SIGTERM", stop).once("SIGINT", stop);
}

/** A second signal does not wait. */
function abandon(): void {
  process.exit(EXIT.failure);
}

/** The server's options from a valid configuration. */
export function serverOptions(config: Config): ServerOptions {
  return {
    policies: policyPlace(config),
    listen: config.listen.map(requireAddress),
    tls: tlsOptions(config.tls),
    allowedCallers: config.allowedCallers,
    metricsReaders: config.metricsReaders,
    admin: config.admin === "none" ? null : requireAddress(config.admin),
    probes: config.probes === "none" ? null : requireAddress(config.probes),
    audit: auditOptions(config.audit),
    bundle: { key: config.bundle.key === "" ? null : config.bundle.key },
    exceptions: { leadMs: parseDuration(config.exceptions.lead) ?? 0 },
    overload: { maxWaitMs: parseDuration(config.overload.maxWait) ?? 0, maxInFlight: config.overload.maxInFlight },
    cache: { maxBytes: parseSize(config.cache.maxSize) ?? 0 },
    reload: { pollMs: parseDuration(config.reload.poll) ?? 0, deadlineMs: parseDuration(config.reload.deadline) ?? 0 },
    state: config.state === "" ? null : config.state,
    traces: config.traces.to === "none" ? null : { endpoint: config.traces.otlp.endpoint, ratio: config.traces.ratio },
    drain: { waitMs: parseDuration(config.drain.wait) ?? 0, limitMs: parseDuration(config.drain.limit) ?? 0 },
  };
}

function policyPlace({ policies, policySource, kubernetes }: Config): ServerOptions["policies"] {
  if (policySource === "directory") return { kind: "directory", path: policies };
  const { kubeconfig, rootNamespace } = kubernetes;
  return { kind: "kubernetes", kubeconfig: kubeconfig === "" ? null : kubeconfig, rootNamespace };
}

function tlsOptions({ certificate, key, clientCa, poll, workloadApi }: Config["tls"]): ServerOptions["tls"] {
  if (workloadApi !== "") return { kind: "workload-api", socket: workloadApi.slice("unix:".length) };
  if (certificate === "") return null;
  return { kind: "files", files: { certificate, key, clientCa }, pollMs: parseDuration(poll) ?? 0 };
}

function requireAddress(text: string): NonNullable<ReturnType<typeof parseListenAddress>> {
  const address = parseListenAddress(text);
  if (address === null) throw new Error(`${text} is no address`);
  return address;
}

function flagsOf(options: Record<string, unknown>): Record<string, string | string[]> {
  const flags: Record<string, string | string[]> = {};
  for (const { flag } of SETTINGS) {
    const name = flag.slice(2).replace(/-([a-z])/g, (_, letter: string) => letter.toUpperCase());
    const value = options[name];
    if (typeof value === "string" || Array.isArray(value)) flags[flag] = value;
  }
  return flags;
}

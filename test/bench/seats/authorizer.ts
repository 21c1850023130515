import { join } from "node:path";
import { type Child, startChild } from "../../../src/cli/demo/process.ts";
import { SHIPPED_FLAGS } from "../checks.ts";
import { type Certificates, GATEWAY_ID } from "./certificates.ts";
import type { Way } from "./ways.ts";

/** What an authorizer is started with. */
export interface AuthorizerOptions {
  readonly way: Way;
  /** For its socket and its trail. */
  readonly directory: string;
  readonly policies: string;
  readonly port: number;
  readonly certificates: Certificates;
  /** The bare authorizer's program. */
  readonly bare: string;
}

/** The socket of a way that uses one. */
export function socketOf(directory: string): string {
  return join(directory, "authorizer.sock");
}

/** Starts the process that a way asks, not yet ready; null for a way that asks nobody. */
export function startAuthorizer(options: AuthorizerOptions): Child | null {
  const { way, bare } = options;
  if (way.authorizer === null) return null;
  if (way.authorizer === "grpc-go") return startChild(bare, bareArgs(options));
  return startChild(process.execPath, serveArgs(options));
}

function bareArgs({ way, directory, port, certificates: { server, ca } }: AuthorizerOptions): readonly string[] {
  if (way.transport === "unix") return ["-network", "unix", "-address", socketOf(directory)];
  const tls = ["-certificate", server.certificate, "-key", server.key, "-client-ca", ca];
  return ["-address", `127.0.0.1:${port}`, ...tls];
}

/** As the container image starts it, with its audit on. */
function serveArgs({ way, directory, policies, port, certificates }: AuthorizerOptions): readonly string[] {
  const { server, ca } = certificates;
  const overTls = {
    "tls-certificate": server.certificate,
    "tls-key": server.key,
    "tls-client-ca": ca,
    "allowed-callers": GATEWAY_ID,
  };
  const flags = {
    policies,
    listen: way.transport === "unix" ? `unix:${socketOf(directory)}` : `127.0.0.1:${port}`,
    admin: "none",
    "audit-mode": "batch",
    "audit-to": join(directory, "audit.jsonl"),
    "drain-wait": "0ms",
    "log-level": "warn",
    ...(way.transport === "unix" ? {} : overTls),
  };
  const main = new URL("../../../src/cli/main.ts", import.meta.url).pathname;
  return [...SHIPPED_FLAGS, main, "serve", ...Object.entries(flags).flatMap(([name, value]) => [`--${name}`, value])];
}

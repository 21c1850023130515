import { join } from "node:path";
import { type Child, startChild } from "../../../src/cli/demo/process.ts";
import { BUILT_MAIN } from "../built.ts";
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
  /** The program of the bare grpc-go authorizer. */
  readonly grpcGo: string;
}

/** The socket of a way that uses one. */
export function socketOf(directory: string): string {
  return join(directory, "authorizer.sock");
}

/** Starts the process that a way asks, not yet ready; null for a way that asks nobody. */
export function startAuthorizer(options: AuthorizerOptions): Child | null {
  const { way, grpcGo } = options;
  if (way.authorizer === null) return null;
  if (way.authorizer === "grpc-go") return startChild(grpcGo, grpcGoArgs(options));
  return startChild(process.execPath, way.authorizer === "grpc-js" ? grpcJsArgs(options) : serveArgs(options));
}

/** With Node's defaults, as whoever writes such a handler would start it. */
function grpcJsArgs({ way, directory, port, certificates: { server, ca } }: AuthorizerOptions): readonly string[] {
  const main = new URL("../bare-server.ts", import.meta.url).pathname;
  if (way.transport === "unix") return [main, `unix:${socketOf(directory)}`];
  return [main, `127.0.0.1:${port}`, server.certificate, server.key, ca];
}

function grpcGoArgs({ way, directory, port, certificates: { server, ca } }: AuthorizerOptions): readonly string[] {
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
    // Nearly as long as the bench's Envoy waits: requests that are refused early would flatter.
    "overload-max-wait": "4s",
    "drain-wait": "0ms",
    "log-level": "warn",
    ...(way.transport === "unix" ? {} : overTls),
  };
  return [
    ...SHIPPED_FLAGS,
    BUILT_MAIN,
    "serve",
    ...Object.entries(flags).flatMap(([name, value]) => [`--${name}`, value]),
  ];
}

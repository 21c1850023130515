import { execFileSync, spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { freePorts } from "../../src/cli/demo/ports.ts";
import { type Child, startChild, waitUntil } from "../../src/cli/demo/process.ts";

const DOMAIN = "cluster.local";
const HOST_ID = `spiffe://${DOMAIN}/host`;

/** A real SPIRE server and agent on loopback. */
export interface Spire {
  /** The agent's Workload API. */
  readonly socket: string;
  /** Registers this user's processes under an identity, whose certificates live so long. */
  register(spiffeId: string, ttlSeconds: number): void;
  /** PEM of the trust domain's roots. */
  roots(): string;
  /** A certificate and key of any identity, as the server mints it. */
  mint(spiffeId: string): { readonly cert: string; readonly key: string };
  stopAgent(): Promise<void>;
  startAgent(): Promise<void>;
  remove(): Promise<void>;
}

/** Why there can be no SPIRE here, or null. Its programs are on the PATH or nowhere. */
export function noSpire(): string | null {
  for (const program of ["spire-server", "spire-agent"]) {
    if (spawnSync(program, ["--version"]).error !== undefined) return `${program} is not on the PATH`;
  }
  return null;
}

/** Starts both, with an agent that knows its host by a join token. */
export async function startSpire(): Promise<Spire> {
  const directory = mkdtempSync(join(tmpdir(), "spire-"));
  const [port = 0] = await freePorts(1);
  const at = (name: string) => join(directory, name);
  writeFileSync(at("server.conf"), serverConfig(directory, port));
  writeFileSync(at("agent.conf"), agentConfig(directory, port));
  const server = startChild("spire-server", ["run", "-config", at("server.conf")]);
  const ask = (...args: string[]) =>
    execFileSync("spire-server", [...args, "-socketPath", at("server.sock")], { encoding: "utf8", timeout: 20_000 });
  const isUp = () => spawnSync("spire-server", ["healthcheck", "-socketPath", at("server.sock")]).status === 0;
  await waitUntil("SPIRE's server", isUp, 60_000, server);
  writeFileSync(at("roots.pem"), ask("bundle", "show"));
  let agent: Child | null = null;
  const startAgent = async () => {
    const token = /Token: (\S+)/.exec(ask("token", "generate", "-spiffeID", HOST_ID))?.[1] ?? "";
    rmSync(at("agent"), { recursive: true, force: true });
    const child = startChild("spire-agent", ["run", "-config", at("agent.conf"), "-joinToken", token]);
    agent = child;
    const isReady = () => spawnSync("spire-agent", ["healthcheck", "-socketPath", at("agent.sock")]).status === 0;
    await waitUntil("SPIRE's agent", isReady, 60_000, child);
  };
  await startAgent();
  return {
    socket: at("agent.sock"),
    register(spiffeId, ttlSeconds) {
      const selector = `unix:uid:${process.getuid?.() ?? 0}`;
      const names = ["-parentID", HOST_ID, "-spiffeID", spiffeId, "-selector", selector, "-dns", "localhost"];
      ask("entry", "create", ...names, "-x509SVIDTTL", String(ttlSeconds));
    },
    roots: () => ask("bundle", "show"),
    mint(spiffeId) {
      const text = ask("x509", "mint", "-spiffeID", spiffeId);
      const blocks = text.match(/-----BEGIN [^-]+-----[\s\S]+?-----END [^-]+-----/g) ?? [];
      const key = blocks.find((each) => each.includes("PRIVATE KEY")) ?? "";
      const cert = blocks.find((each) => each.includes("CERTIFICATE")) ?? "";
      return { cert, key };
    },
    async stopAgent() {
      await agent?.stop();
    },
    startAgent,
    async remove() {
      await agent?.stop();
      await server.stop();
      rmSync(directory, { recursive: true, force: true });
    },
  };
}

function serverConfig(directory: string, port: number): string {
  return `
server {
  bind_address = "127.0.0.1"
  bind_port = "${port}"
  socket_path = "${directory}/server.sock"
  trust_domain = "${DOMAIN}"
  data_dir = "${directory}/server"
  log_level = "WARN"
  ca_ttl = "24h"
}
plugins {
  DataStore "sql" { plugin_data { database_type = "sqlite3" connection_string = "${directory}/server.db" } }
  KeyManager "memory" { plugin_data {} }
  NodeAttestor "join_token" { plugin_data {} }
}
`;
}

function agentConfig(directory: string, port: number): string {
  return `
agent {
  data_dir = "${directory}/agent"
  log_level = "WARN"
  server_address = "127.0.0.1"
  server_port = "${port}"
  socket_path = "${directory}/agent.sock"
  trust_bundle_path = "${directory}/roots.pem"
  trust_domain = "${DOMAIN}"
}
plugins {
  KeyManager "memory" { plugin_data {} }
  NodeAttestor "join_token" { plugin_data {} }
  WorkloadAttestor "unix" { plugin_data {} }
}
`;
}

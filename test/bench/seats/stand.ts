import { writeFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import { type Authority, dns, uri } from "../../../src/cli/demo/pki.ts";
import { accepts, type Child, freePorts, startChild, waitUntil } from "../../../src/cli/demo/process.ts";
import { SHIPPED_FLAGS } from "../checks.ts";
import { writePolicyText } from "../policy-text.ts";
import type { Way } from "./data.ts";
import { envoyOf } from "./envoy.ts";
import type { LoadTarget } from "./load.ts";
import type { Programs } from "./programs.ts";
import { sizedRules } from "./rules.ts";

const READY_MS = 120_000;
const SERVE = resolve(import.meta.dirname, "../../../src/cli/main.ts");
const FILTER = resolve(import.meta.dirname, "../../../build/sallyport-filter.wasm");

/** One way at one size, running. */
export interface Stand {
  readonly way: Way;
  readonly rules: number;
  readonly target: LoadTarget;
}

/** Starts the ways at one size. `children` gets what was started, to be stopped. */
export async function startStands(
  ways: readonly Way[],
  rules: number,
  { envoy, programs, mesh, directory }: { envoy: string; programs: Programs; mesh: Authority; directory: string },
  children: Child[],
): Promise<readonly Stand[]> {
  const { set, principal, host, rbac } = sizedRules(rules);
  const policies = join(directory, `policies-${rules}`);
  await writePolicyText(set, policies);
  const put = async (name: string, text: string): Promise<string> => {
    const file = join(directory, `${rules}-${name}`);
    await writeFile(file, text, { mode: 0o600 });
    return file;
  };
  const pair = async (name: string, ...sans: Parameters<Authority["issue"]>[0]) => {
    const { cert, key } = await mesh.issue(sans);
    return { certificate: await put(`${name}.crt`, cert), key: await put(`${name}.key`, key) };
  };
  const ca = await put("ca.crt", mesh.cert);
  const server = await pair("server", dns("localhost"));
  const client = await pair("client", uri(principal));

  async function start(way: Way): Promise<Stand> {
    const [port = 0, pdp = 0, admin = 0] = await freePorts(3);
    const socket = join(directory, `${way}-${rules}.sock`);
    const authorizer = await startAuthorizer(way, way === "server-unix" ? `unix:${socket}` : `127.0.0.1:${pdp}`, admin);
    const parts = { way, port, ca, ...server, filter: FILTER, rbac, bundlePort: admin };
    const adminSocket = join(directory, `${way}-${rules}.admin`);
    const where = way === "server-unix" ? socket : pdp;
    const config = await put(`${way}.json`, JSON.stringify(envoyOf({ ...parts, adminSocket, authorizer: where })));
    const args = ["-c", config, "--disable-hot-restart", "--concurrency", "1", "--log-level", "error"];
    const child = startChild(envoy, args);
    children.push(child);
    await waitUntil(`the Envoy of ${way}`, () => accepts(port), READY_MS, child);
    return {
      way,
      rules,
      target: {
        ...{ fortio: programs.fortio, port, host, ca, ...client },
        envoyPid: child.process.pid ?? 0,
        authorizerPid: authorizer?.process.pid ?? null,
      },
    };
  }

  async function startAuthorizer(way: Way, listen: string, admin: number): Promise<Child | null> {
    if (way === "none" || way === "rbac") return null;
    if (way === "grpc-go") {
      const child = startChild(programs.authorizer, [listen]);
      children.push(child);
      await waitUntil("the bare authorizer", () => accepts(Number(listen.split(":")[1])), READY_MS, child);
      return child;
    }
    const flags = {
      policies,
      listen,
      admin: `127.0.0.1:${admin}`,
      "audit-to": join(directory, `${way}-${rules}.jsonl`),
      "audit-mode": "batch",
      "log-level": "warn",
      "drain-wait": "0ms",
    };
    const args = Object.entries(flags).flatMap(([name, value]) => [`--${name}`, value]);
    const child = startChild(process.execPath, [...SHIPPED_FLAGS, SERVE, "serve", ...args]);
    children.push(child);
    const ready = () =>
      fetch(`http://127.0.0.1:${admin}/readyz`, { signal: AbortSignal.timeout(1_000) }).then(
        (response) => response.ok,
        () => false,
      );
    await waitUntil(`the server of ${way}`, ready, READY_MS, child);
    return child;
  }

  const stands: Stand[] = [];
  for (const way of ways) stands.push(await start(way));
  return stands;
}

import { join } from "node:path";
import { freePorts } from "../../src/cli/demo/ports.ts";
import { type Child, startChild, waitUntil } from "../../src/cli/demo/process.ts";
import { REPOSITORY } from "../cli/run-cli.ts";

/** A server in a process of its own. */
export interface Serving {
  readonly child: Child;
  /** Where Checks go. */
  readonly address: string;
  readonly adminPort: number;
  /** A page of the admin port. */
  page(path: string): Promise<Response>;
  ready(): Promise<boolean>;
  /** One figure of /metrics, labels included; 0 when it is not there. */
  metric(name: string): Promise<number>;
}

/** Starts `sallyport serve` with the shipped policies and these flags, by a user (null: one's own) and with so many open files (null: as many as here), and waits until it answers this page with 200. */
export async function startServing(
  flags: Readonly<Record<string, string | readonly string[]>>,
  until: "/readyz" | "/livez" = "/readyz",
  uid: number | null = null,
  openFiles: number | null = null,
  env: NodeJS.ProcessEnv = process.env,
): Promise<Serving> {
  const [port = 0, adminPort = 0] = await freePorts(2);
  const all = {
    policies: "policies",
    listen: `127.0.0.1:${port}`,
    admin: `127.0.0.1:${adminPort}`,
    "log-level": "error",
    "drain-wait": "0s",
    ...flags,
  };
  const args = Object.entries(all).flatMap(([name, value]) => [
    `--${name}`,
    ...(Array.isArray(value) ? value : [value]),
  ]);
  const command = [process.execPath, join(REPOSITORY, "src/cli/main.ts"), "serve", ...args];
  const as = uid === null ? [] : ["setpriv", `--reuid=${uid}`, "--clear-groups"];
  const limited = openFiles === null ? [] : ["prlimit", `--nofile=${openFiles}`];
  const [program = "", ...rest] = [...as, ...limited, ...command];
  const child = startChild(program, rest, env);
  const page = (path: string) => fetch(`http://127.0.0.1:${adminPort}${path}`);
  const isFine = (path: string) =>
    page(path).then(
      ({ ok }) => ok,
      () => false,
    );
  await waitUntil("serve", () => isFine(until), 60_000, child);
  return {
    child,
    address: `127.0.0.1:${port}`,
    adminPort,
    page,
    ready: () => isFine("/readyz"),
    async metric(name) {
      const text = await (await page("/metrics")).text();
      const line = text.split("\n").find((each) => each.startsWith(`${name} `));
      return Number(line?.slice(name.length + 1) ?? 0);
    },
  };
}

import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { connect as dial } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";

/** A child process that is ended by its pid and remembers the end of what it said. */
export interface Child {
  readonly process: ChildProcess;
  output(): string;
  /** Asks it to stop, then makes it. Resolves when it is gone. */
  stop(signal?: NodeJS.Signals): Promise<void>;
}

const STOP_LIMIT_MS = 8_000;

/** Starts a program with its output kept (the last 64 KiB). */
export function startChild(command: string, args: readonly string[], env: NodeJS.ProcessEnv = process.env): Child {
  const child = spawn(command, args, { stdio: ["ignore", "pipe", "pipe"], env });
  let text = "";
  const keep = (chunk: Buffer): void => {
    text = (text + chunk.toString()).slice(-65_536);
  };
  child.stdout.on("data", keep);
  child.stderr.on("data", keep);
  child.on("error", (error) => keep(Buffer.from(String(error))));
  return {
    process: child,
    output: () => text,
    async stop(signal = "SIGTERM") {
      if (child.exitCode !== null || child.signalCode !== null || child.pid === undefined) return;
      const gone = once(child, "exit");
      child.kill(signal);
      const timer = setTimeout(() => child.kill("SIGKILL"), STOP_LIMIT_MS);
      await gone;
      clearTimeout(timer);
    },
  };
}

/** Polls until `ready` answers true. Rejects with `what` and the child's last words after the limit or when it died. */
export async function waitUntil(
  what: string,
  ready: () => Promise<boolean> | boolean,
  limitMs: number,
  child: Child | null = null,
): Promise<void> {
  const deadline = Date.now() + limitMs;
  while (!(await ready())) {
    const died = child !== null && (child.process.exitCode ?? child.process.signalCode) !== null;
    if (died || Date.now() > deadline) {
      throw new Error(
        `${what} ${died ? "ended early" : `did not happen within ${limitMs} ms`}\n${child?.output() ?? ""}`,
      );
    }
    await sleep(25);
  }
}

/** Does something accept connections on this loopback port? */
export async function accepts(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = dial({ host: "127.0.0.1", port, timeout: 500 });
    const end = (answer: boolean) => () => {
      socket.destroy();
      resolve(answer);
    };
    socket.on("connect", end(true)).on("error", end(false)).on("timeout", end(false));
  });
}

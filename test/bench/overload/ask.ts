import { execFile } from "node:child_process";
import { promisify } from "node:util";
import type { Seen } from "./seen.ts";

/** Of `ask-main.ts`. */
export type AskFlags = Readonly<Record<string, number | string>>;

const run = promisify(execFile);
const MAIN = new URL("ask-main.ts", import.meta.url).pathname;

/** Asks a server from a process of its own, with the flags of `ask-main.ts`. */
export async function askApart(address: string, flags: AskFlags): Promise<Seen> {
  const args = Object.entries(flags).flatMap(([name, value]) => [`--${name}`, `${value}`]);
  const timeout = (Number(flags.seconds ?? 5) + 60) * 1000;
  return JSON.parse((await run(process.execPath, [MAIN, address, ...args], { timeout })).stdout);
}

/** Checks that were decided while somebody waited for it: what comes later is `late`. */
export function decidedOf({ outcomes: { allowed, denied } }: Seen): number {
  return allowed + denied;
}

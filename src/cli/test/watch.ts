import { setTimeout } from "node:timers/promises";
import { digestOf } from "../../server/policy-digest.ts";
import { scanPolicyDirectory } from "../../server/read-policies.ts";
import { createDirectoryWatch } from "../../server/watch-directories.ts";
import { EXIT } from "../exit-code.ts";
import { colors, printLine } from "../output.ts";

/** What the file system does not tell of is seen so often. */
const POLL_MS = 1_000;
/** Editors write a file in several steps. */
const SETTLE_MS = 50;

/**
 * Calls `run` now and whenever the files of a policy directory have changed, one run at a time, until SIGINT or SIGTERM. A
 * directory that cannot be read is told of once and waited for.
 */
export async function watchPolicies(directory: string, run: () => Promise<void>): Promise<void> {
  const stop = new AbortController();
  const end = (): void => stop.abort();
  for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, end);
  let wake = (): void => undefined;
  const watch = createDirectoryWatch(() => wake());
  let last: string | null = null;
  try {
    while (!stop.signal.aborted) {
      // Whatever happens from here on is seen by the next round.
      const woken = new Promise<void>((resolve) => {
        wake = resolve;
      });
      const now = await stateOf(directory, watch.follow);
      if (now !== last) {
        const isFirst = last === null;
        last = now;
        if (!isFirst) printLine(`\n${colors.dim(`${directory} has changed`)}`);
        await run();
        printLine(colors.dim("waiting for changes; Ctrl+C ends"));
      }
      await Promise.race([woken, pause(POLL_MS, stop.signal)]);
      await pause(SETTLE_MS, stop.signal);
    }
  } finally {
    watch.close();
    for (const signal of ["SIGINT", "SIGTERM"] as const) process.off(signal, end);
  }
  process.exitCode = EXIT.ok;
}

/** Says what the directory holds; why, when it cannot be read. */
async function stateOf(directory: string, follow: (directories: readonly string[]) => void): Promise<string> {
  try {
    const { files, directories } = await scanPolicyDirectory(directory);
    follow(directories);
    return digestOf(files);
  } catch (error) {
    return String(error);
  }
}

/** Ends early, without an error, when it is to stop. */
async function pause(ms: number, signal: AbortSignal): Promise<void> {
  await setTimeout(ms, undefined, { signal }).catch(() => undefined);
}

import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** A wall clock that a test sets for a process; the clock that no one sets goes on. */
export interface FalseClock {
  /** What the process must be started with. */
  readonly env: NodeJS.ProcessEnv;
  /** From now on it is this instant, and stays so. */
  stop(atMs: number): void;
  /** From now on it is so many milliseconds later than it is, and goes on. */
  shift(ms: number): void;
  remove(): void;
}

const SOURCE = new URL("false-clock.c", import.meta.url).pathname;

/** Makes one. @throws without a C compiler */
export function createFalseClock(): FalseClock {
  const directory = mkdtempSync(join(tmpdir(), "sallyport-clock-"));
  const remove = () => rmSync(directory, { recursive: true, force: true });
  const library = join(directory, "false-clock.so");
  const built = spawnSync("cc", ["-shared", "-fPIC", "-O2", "-o", library, SOURCE], { timeout: 60_000 });
  if (built.status !== 0) {
    remove();
    throw new Error(`no C compiler: ${built.error?.message ?? built.stderr.toString()}`);
  }
  const file = join(directory, "clock");
  function say(shiftMs: number, stopMs: number): void {
    const bytes = Buffer.alloc(16);
    bytes.writeBigInt64LE(BigInt(shiftMs) * 1_000_000n, 0);
    bytes.writeBigInt64LE(BigInt(stopMs) * 1_000_000n, 8);
    // In place: the process has the file mapped.
    writeFileSync(file, bytes, { flag: "r+" });
  }
  writeFileSync(file, Buffer.alloc(16));
  return {
    env: { ...process.env, LD_PRELOAD: library, FALSE_CLOCK: file },
    stop: (atMs) => say(0, atMs),
    shift: (ms) => say(ms, 0),
    remove,
  };
}

/** Why there can be none here, or null. */
export function noFalseClock(): string | null {
  try {
    createFalseClock().remove();
    return null;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

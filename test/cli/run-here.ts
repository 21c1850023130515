import { runProgram } from "../../src/cli/program.ts";
import type { CliRun } from "./run-cli.ts";

/**
 * Runs `sallyport ARGS…` within this process, from a directory: as `runCli` does, but some hundred milliseconds sooner. Not for
 * commands that read standard input, wait for a signal or end the process.
 */
export async function runHere(args: readonly string[], cwd: string): Promise<CliRun> {
  const before = { cwd: process.cwd(), exitCode: process.exitCode };
  const stdout = collect(process.stdout);
  const stderr = collect(process.stderr);
  process.exitCode = undefined;
  process.chdir(cwd);
  try {
    await runProgram(args);
    return { code: Number(process.exitCode ?? 0), stdout: stdout.text(), stderr: stderr.text() };
  } finally {
    process.chdir(before.cwd);
    process.exitCode = before.exitCode;
    stdout.stop();
    stderr.stop();
  }
}

/** Keeps what is written to a stream from now on, in place of the stream. */
function collect(stream: NodeJS.WriteStream): { text(): string; stop(): void } {
  const chunks: Buffer[] = [];
  const { write } = stream;
  stream.write = (chunk: string | Uint8Array, ...rest: unknown[]): boolean => {
    chunks.push(Buffer.from(chunk));
    const done = rest.at(-1);
    if (typeof done === "function") process.nextTick(done);
    return true;
  };
  return {
    text: () => Buffer.concat(chunks).toString("utf8"),
    stop() {
      stream.write = write;
    },
  };
}

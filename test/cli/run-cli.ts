import { spawn } from "node:child_process";
import { chmodSync, mkdirSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

/** Root of the repository. */
export const REPOSITORY = fileURLToPath(new URL("../..", import.meta.url));

/** Compiled once for all the processes that tests start. */
const COMPILE_CACHE = { NODE_COMPILE_CACHE: join(tmpdir(), "sallyport-compile-cache") };

/** What a command did. */
export interface CliRun {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs `sallyport ARGS…` as a process of its own, without a terminal. `root` is the project to run it from. */
export function runCli(
  args: readonly string[],
  where: { readonly cwd?: string; readonly root?: string } = {},
): Promise<CliRun> {
  const { cwd = REPOSITORY, root = REPOSITORY } = where;
  return run(process.execPath, [`${root}/src/cli/main.ts`, ...args], cwd);
}

/** Runs a program to its end and collects what it prints. `extra` goes over the environment; it reads `input`. */
export function run(
  program: string,
  args: readonly string[],
  cwd: string,
  extra: Readonly<Record<string, string>> = {},
  input = "",
): Promise<CliRun> {
  return new Promise((resolve, reject) => {
    const env = { ...process.env, ...COMPILE_CACHE, CI: "1", ...extra };
    const child = spawn(program, args, { cwd, stdio: ["pipe", "pipe", "pipe"], env });
    // One that does not read ends sooner than it is written to.
    child.stdin.on("error", () => undefined).end(input);
    let stdout = "";
    let stderr = "";
    child.stdout.setEncoding("utf8").on("data", (text: string) => {
      stdout += text;
    });
    child.stderr.setEncoding("utf8").on("data", (text: string) => {
      stderr += text;
    });
    child.once("error", reject);
    child.once("close", (code) => resolve({ code, stdout, stderr }));
  });
}

/** Writes a program `sallyport` into a directory, for shells that have it in their PATH. */
export function writeShim(directory: string): void {
  mkdirSync(directory, { recursive: true });
  const shim = join(directory, "sallyport");
  writeFileSync(shim, `#!/bin/sh\nexec "${process.execPath}" "${REPOSITORY}/src/cli/main.ts" "$@"\n`);
  chmodSync(shim, 0o755);
}

/** What a command printed, without digests of bundles, which change with their format. */
export function withoutDigests(text: string): string {
  return text.replace(/sha256:[0-9a-f]{12,64}/g, "sha256:…");
}

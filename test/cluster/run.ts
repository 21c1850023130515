import { spawn } from "node:child_process";

const LIMIT_MS = 120_000;

/** How a program ended and what it said. */
export interface Ran {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs a program to its end, with a time limit. Whatever code it ends with is an answer. */
export function run(
  program: string,
  args: readonly string[],
  options: { readonly stdin?: string; readonly cwd?: string; readonly env?: NodeJS.ProcessEnv } = {},
): Promise<Ran> {
  const { stdin, ...rest } = options;
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, { ...rest, stdio: ["pipe", "pipe", "pipe"], timeout: LIMIT_MS });
    let stdout = "";
    let stderr = "";
    child.stdout.setEncoding("utf8").on("data", (text: string) => {
      stdout += text;
    });
    child.stderr.setEncoding("utf8").on("data", (text: string) => {
      stderr += text;
    });
    child.on("error", reject);
    child.on("close", (code) => resolve({ code, stdout, stderr }));
    // A program that does not read all of it says itself why.
    child.stdin.on("error", () => undefined);
    child.stdin.end(stdin ?? "");
  });
}

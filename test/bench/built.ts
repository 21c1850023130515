import { execFile } from "node:child_process";
import { promisify } from "node:util";

/** The program as it is installed: JavaScript. From sources each start would first take the types out of all of them. */
export const BUILT_MAIN = new URL("../../dist/cli/main.js", import.meta.url).pathname;

/** Makes `BUILT_MAIN` of the sources as they are. */
export async function buildProgram(): Promise<void> {
  const cwd = new URL("../..", import.meta.url).pathname;
  await promisify(execFile)("npx", ["tsc", "-p", "tsconfig.build.json"], { cwd });
}

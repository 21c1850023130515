/** Writes deploy/examples: what each target makes of the shipped policies. A test compares them. */
import { spawnSync } from "node:child_process";
import { TARGETS } from "../src/generate/targets.ts";

for (const { name } of TARGETS) {
  const args = ["src/cli/main.ts", "generate", name, "-o", `deploy/examples/${name}`];
  const { status } = spawnSync(process.execPath, args, { stdio: "inherit" });
  if (status !== 0) process.exitCode = 1;
}

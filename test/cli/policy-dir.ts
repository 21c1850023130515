import { readFileSync } from "node:fs";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { onTestFinished } from "vitest";
import { REPOSITORY } from "./run-cli.ts";

/** Writes files into a new directory that is removed when the test ends. Returns its path. */
export async function temporaryDirectory(files: Readonly<Record<string, string>>): Promise<string> {
  const root = await mkdtemp(join(tmpdir(), "sallyport-cli-"));
  onTestFinished(() => rm(root, { recursive: true, force: true }));
  for (const [path, text] of Object.entries(files)) {
    await mkdir(dirname(join(root, path)), { recursive: true });
    await writeFile(join(root, path), text);
  }
  return root;
}

/** A small valid set: one service, one allow, one deny. */
export const SMALL_SET: Readonly<Record<string, string>> = Object.fromEntries(
  ["gateway.yaml", "policies.yaml"].map((path) => [
    path,
    readFileSync(join(REPOSITORY, "test/cli/small-policies", path), "utf8"),
  ]),
);

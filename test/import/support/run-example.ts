import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { expect } from "vitest";
import { temporaryDirectory } from "../../cli/policy-dir.ts";
import { REPOSITORY, runCli } from "../../cli/run-cli.ts";

/**
 * Imports an example on the command line into a new directory; compares the policies and the report with its golden files;
 * sees to it that `validate` and `lint` find no errors. Returns the directory.
 */
export async function runExample(source: string, args: readonly string[]): Promise<string> {
  const golden = join(REPOSITORY, "test/import", source, "golden");
  const out = join(await temporaryDirectory({}), "policies");
  const run = await runCli(["import", source, ...args, "-o", out, "--output", "json"]);
  expect(run).toMatchObject({ code: 0, stderr: "" });
  await expect(run.stdout).toMatchFileSnapshot(join(golden, "report.json"));
  const human = await runCli(["import", source, ...args, "-o", `${out}-again`]);
  expect(human).toMatchObject({ code: 0, stderr: "" });
  await expect(human.stdout.replaceAll(`${out}-again`, "policies")).toMatchFileSnapshot(join(golden, "report.txt"));
  const written = await filesIn(out);
  expect(await filesIn(`${out}-again`)).toEqual(written);
  expect(JSON.parse(run.stdout).files).toEqual([...written.keys()]);
  for (const [path, text] of written) await expect(text).toMatchFileSnapshot(join(golden, "policies", path));
  expect([...(await filesIn(join(golden, "policies"))).keys()]).toEqual([...written.keys()]);
  expect((await runCli(["validate", "--policies", out])).code).toBe(0);
  expect((await runCli(["fmt", "--check", "--policies", out])).code).toBe(0);
  expect((await runCli(["lint", "--policies", out, "--now", "2026-11-23T12:00:00Z", "--fail-on", "error"])).code).toBe(
    0,
  );
  return out;
}

async function filesIn(directory: string): Promise<ReadonlyMap<string, string>> {
  const entries = await readdir(directory, { recursive: true, withFileTypes: true });
  const paths = entries.filter((each) => each.isFile()).map((each) => join(each.parentPath, each.name));
  const texts = await Promise.all(paths.map((path) => readFile(path, "utf8")));
  return new Map(
    paths
      .map((path, i) => [path.slice(directory.length + 1), texts[i] ?? ""] as const)
      .sort(([a], [b]) => (a < b ? -1 : 1)),
  );
}

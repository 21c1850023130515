import { join } from "node:path";
import { expect, it } from "vitest";
import { SMALL_SET, temporaryDirectory } from "./policy-dir.ts";
import { REPOSITORY, runCli } from "./run-cli.ts";

function exceptions(...args: string[]) {
  return runCli(["exceptions", "--policies", "test/cli/explain-policies", "--now", "2026-11-23T12:00:00Z", ...args]);
}

function golden(name: string): string {
  return join(REPOSITORY, "test/cli/golden/exceptions", name);
}

it("lists exceptions by their end, with who answers for them", async () => {
  const { code, stdout, stderr } = await exceptions();
  expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
  await expect(stdout).toMatchFileSnapshot(golden("listed.txt"));
});

it("prints a stable JSON document, in which soon is what --within says", async () => {
  const { code, stdout } = await exceptions("-o", "json", "--within", "1d");
  expect(code).toBe(0);
  await expect(stdout).toMatchFileSnapshot(golden("listed.json"));
});

it("says when there is none, or the policies are invalid, or the options make no sense", async () => {
  const none = await temporaryDirectory({ "gateway.yaml": SMALL_SET["gateway.yaml"] ?? "" });
  const nothing = await runCli(["exceptions", "--policies", none]);
  expect([nothing.code, nothing.stdout]).toEqual([0, `${none}: no rule expires\n`]);
  const invalid = await runCli([
    "exceptions",
    "--policies",
    await temporaryDirectory({ "bad.yaml": "kind: Nonsense\n" }),
  ]);
  expect(invalid.code).toBe(3);
  expect((await runCli(["exceptions", "--policies", "/nonexistent"])).code).toBe(1);
  expect((await exceptions("--within", "soon")).code).toBe(64);
});

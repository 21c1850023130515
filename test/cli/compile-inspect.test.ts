import { readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { SMALL_SET, temporaryDirectory } from "./policy-dir.ts";
import { runCli } from "./run-cli.ts";

describe("compile and inspect", () => {
  it("writes the bundle in one step and prints its revision", async () => {
    const dir = await temporaryDirectory({});
    const file = join(dir, "egress.bundle");
    await writeFile(file, "old");
    const { code, stdout } = await runCli(["compile", "-o", file]);
    expect(code).toBe(0);
    expect(stdout).toMatch(/^sha256:[0-9a-f]{64}\n/);
    expect(await readdir(dir)).toEqual(["egress.bundle"]);
    const inspected = await runCli(["inspect", file, "-o", "json"]);
    expect(inspected.code).toBe(0);
    expect(JSON.parse(inspected.stdout)).toMatchObject({
      schema: "sallyport.dev/inspect/v1",
      revision: stdout.split("\n")[0],
      bytes: (await readFile(file)).length,
    });
  });

  it("gives the same revision wherever the documents lie", async () => {
    const text = `${SMALL_SET["gateway.yaml"]}---\n${SMALL_SET["policies.yaml"]}`;
    const [a, b] = await Promise.all([
      temporaryDirectory(SMALL_SET).then((dir) => runCli(["compile", "--policies", dir])),
      temporaryDirectory({ "all.yaml": text }).then((dir) => runCli(["compile", "--policies", dir])),
    ]);
    expect(a.stdout).toBe(b.stdout);
  });

  it("reads no tests: a mistake in one changes and stops nothing, and validate tells it", async () => {
    const [plain, broken] = await Promise.all([
      temporaryDirectory(SMALL_SET),
      temporaryDirectory({ ...SMALL_SET, "small.test.yaml": "kind: [" }),
    ]);
    const [a, b] = await Promise.all([plain, broken].map((dir) => runCli(["compile", "--policies", dir])));
    expect(b).toEqual(a);
    expect(b?.code).toBe(0);
    expect((await runCli(["validate", "--policies", broken])).code).toBe(3);
    expect((await runCli(["test", "--policies", broken])).code).toBe(3);
  });

  it("inspects a directory as if it were compiled", async () => {
    const dir = await temporaryDirectory(SMALL_SET);
    const compiled = await runCli(["compile", "--policies", dir, "--output", "json"]);
    const inspected = await runCli(["inspect", dir, "-o", "json"]);
    expect(JSON.parse(inspected.stdout).revision).toBe(JSON.parse(compiled.stdout).revision);
    const human = await runCli(["inspect", dir]);
    expect(human.stdout).toContain("api.vendor.example.com");
    expect(human.stdout).toContain("spiffe://cluster.local/ns/shop/sa/chat");
  });

  it("leaves the old file when it cannot write", async () => {
    const dir = await temporaryDirectory({});
    const { code, stderr } = await runCli(["compile", "-o", join(dir, "none", "egress.bundle")]);
    expect(code).toBe(1);
    expect(stderr).toContain("cannot be written");
    expect(await readdir(dir)).toEqual([]);
  });

  it("refuses what is no bundle", async () => {
    const dir = await temporaryDirectory({ "x.bundle": "nonsense" });
    const garbage = await runCli(["inspect", join(dir, "x.bundle")]);
    expect(garbage.code).toBe(1);
    expect(garbage.stderr).toContain("x.bundle");
    expect((await runCli(["inspect", join(dir, "missing")])).code).toBe(1);
  });
});

import { readFileSync } from "node:fs";
import { chmod, lstat, readdir, readFile, rename, stat, symlink } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { SMALL_SET, temporaryDirectory } from "./policy-dir.ts";
import { REPOSITORY, runCli } from "./run-cli.ts";

const UNTIDY = {
  ...SMALL_SET,
  "shop/extra.yaml": `kind: ExternalService
apiVersion: sallyport.dev/v1alpha1
metadata: { name: 'extra' } # ours
spec:
    hosts: [ extra.example.com ]
    ports: [ { number: 80, protocol: HTTP } ]
`,
};

/** `shop/extra.yaml` as it is laid out. */
const TIDY = readFileSync(join(REPOSITORY, "test/cli/golden/fmt/laid-out.files/policies/shop/extra.yaml"), "utf8");

describe("fmt", () => {
  it("lays out what is laid out otherwise, and the second time nothing", async () => {
    const dir = await temporaryDirectory(UNTIDY);
    const before = await stat(join(dir, "gateway.yaml"));
    await chmod(join(dir, "shop/extra.yaml"), 0o640);
    const { revision } = JSON.parse((await runCli(["compile", "--policies", dir, "--output", "json"])).stdout);
    const first = await runCli(["fmt", "--policies", dir]);
    expect(first).toMatchObject({ code: 0, stderr: "" });
    expect(first.stdout).toContain(`laid out ${join(dir, "shop/extra.yaml")}`);
    expect(await readFile(join(dir, "shop/extra.yaml"), "utf8")).toBe(TIDY);
    expect((await stat(join(dir, "shop/extra.yaml"))).mode & 0o777).toBe(0o640);
    expect(await readdir(join(dir, "shop"))).toEqual(["extra.yaml"]);
    const again = await runCli(["fmt", "--policies", dir]);
    expect(again.stdout).toMatch(/^ok {2}3 files/);
    const compiled = JSON.parse((await runCli(["compile", "--policies", dir, "--output", "json"])).stdout);
    expect(compiled.revision).toBe(revision);
    // A file in the right layout is not touched.
    const tidy = await temporaryDirectory({ "shop/extra.yaml": TIDY });
    const { mtimeMs, ino } = await stat(join(tidy, "shop/extra.yaml"));
    await runCli(["fmt", "--policies", tidy]);
    expect(await stat(join(tidy, "shop/extra.yaml"))).toMatchObject({ mtimeMs, ino });
    expect(before.isFile()).toBe(true);
  });

  it("takes files and directories, and follows links", async () => {
    const dir = await temporaryDirectory({
      "real.yaml": "b:   1\n",
      "shop/a.yaml": "a:   1\n",
      "other.yaml": "c:   1\n",
    });
    await rename(join(dir, "real.yaml"), join(dir, "real"));
    await symlink("real", join(dir, "link.yaml"));
    const { code } = await runCli(["fmt", join(dir, "shop"), join(dir, "link.yaml")]);
    expect(code).toBe(0);
    expect(await readFile(join(dir, "real"), "utf8")).toBe("b: 1\n");
    expect((await lstat(join(dir, "link.yaml"))).isSymbolicLink()).toBe(true);
    expect(await readFile(join(dir, "shop/a.yaml"), "utf8")).toBe("a: 1\n");
    expect(await readFile(join(dir, "other.yaml"), "utf8")).toBe("c:   1\n");
  });
});

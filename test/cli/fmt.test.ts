import { spawn } from "node:child_process";
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

const TIDY = `apiVersion: sallyport.dev/v1alpha1
kind: ExternalService
metadata: {name: extra} # ours
spec:
  hosts: [extra.example.com]
  ports: [{number: 80, protocol: HTTP}]
`;

/** Runs `sallyport fmt ARGS…` with a text on standard input. */
function piped(input: string, ...args: string[]) {
  return new Promise<{ code: number | null; stdout: string; stderr: string }>((resolve, reject) => {
    const child = spawn(process.execPath, [join(REPOSITORY, "src/cli/main.ts"), "fmt", ...args]);
    const out = { stdout: "", stderr: "" };
    child.stdout.on("data", (chunk) => {
      out.stdout += chunk;
    });
    child.stderr.on("data", (chunk) => {
      out.stderr += chunk;
    });
    child.once("error", reject);
    child.once("close", (code) => resolve({ code, ...out }));
    child.stdin.end(input);
  });
}

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

  it("--check changes nothing, shows the difference and exits 1", async () => {
    const dir = await temporaryDirectory({ "shop/extra.yaml": UNTIDY["shop/extra.yaml"], "fine.yaml": "a: 1\n" });
    const { code, stdout, stderr } = await runCli(["fmt", "--check", "--policies", dir]);
    expect(code).toBe(1);
    expect(stdout).toContain("+metadata: {name: extra} # ours");
    expect(stdout).not.toContain("fine.yaml");
    expect(stderr).toContain(`1 of 2 files not in the canonical layout\n  run: sallyport fmt --policies ${dir}`);
    expect(await readFile(join(dir, "shop/extra.yaml"), "utf8")).toBe(UNTIDY["shop/extra.yaml"]);
    const json = await runCli(["fmt", "--check", "--policies", dir, "-o", "json"]);
    expect(json.code).toBe(1);
    const report = JSON.parse(json.stdout);
    expect(report).toMatchObject({ schema: "sallyport.dev/fmt/v1", check: true, changed: 1 });
    expect(
      report.files.map(({ changed, diff }: { changed: boolean; diff: string | null }) => [changed, diff !== null]),
    );
    expect(report.files).toEqual([
      { file: join(dir, "fine.yaml"), changed: false, problem: null, diagnostics: [], diff: null, text: null },
      expect.objectContaining({ file: join(dir, "shop/extra.yaml"), changed: true, diagnostics: [], text: null }),
    ]);
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

  it("lays out standard input to standard output", async () => {
    const text = UNTIDY["shop/extra.yaml"];
    expect(await piped(text, "-")).toEqual({ code: 0, stdout: TIDY, stderr: "" });
    expect(await piped(TIDY, "-", "--check")).toMatchObject({ code: 0 });
    expect(await piped(text, "-", "--check")).toMatchObject({ code: 1 });
    expect(JSON.parse((await piped(text, "-", "-o", "json")).stdout).files).toMatchObject([{ file: "-", text: TIDY }]);
    expect(await piped("a: [\n", "-")).toMatchObject({ code: 3, stdout: "" });
    expect(await piped("", "-", join(REPOSITORY, "policies"))).toMatchObject({ code: 64 });
  });

  it("exits 3 on what is no YAML, with its place, and lays out the others", async () => {
    const dir = await temporaryDirectory({ "bad.yaml": "a: 1\na: 2\n", "good.yaml": "a:   1\n" });
    const { code, stderr } = await runCli(["fmt", "--policies", dir]);
    expect(code).toBe(3);
    expect(stderr).toContain(`${join(dir, "bad.yaml")}:2:1: error[duplicate-key]`);
    expect(await readFile(join(dir, "good.yaml"), "utf8")).toBe("a: 1\n");
    const json = await runCli(["fmt", "--policies", dir, "-o", "json"]);
    expect(json.code).toBe(3);
    expect(JSON.parse(json.stdout).files[0].diagnostics).toMatchObject([{ code: "duplicate-key", line: 2 }]);
  });

  it("exits 1 on what cannot be read", async () => {
    expect(await runCli(["fmt", "no-such-file.yaml"])).toMatchObject({ code: 1, stdout: "" });
    const absent = await runCli(["fmt", "--policies", "no-such-directory"]);
    expect(absent.code).toBe(1);
    expect(absent.stderr).toContain("--policies DIR");
  });
});

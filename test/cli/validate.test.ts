import { pathToFileURL } from "node:url";
import { describe, expect, it } from "vitest";
import { SMALL_SET, temporaryDirectory } from "./policy-dir.ts";
import { runCli } from "./run-cli.ts";

const BROKEN = {
  ...SMALL_SET,
  "shop/broken.yaml": `apiVersion: sallyport.dev/v1alpha1
kind: EgressPolicy
metadata: {name: broken}
spec:
  owner: team@example.com
  rules:
  - name: one
    form: [{namespace: shop}]
    to: [{service: nowhere}]
`,
};

describe("validate", () => {
  it("exits 0 on a valid set and points to the tests", async () => {
    const { code, stdout } = await runCli(["validate", "--policies", await temporaryDirectory(SMALL_SET)]);
    expect(code).toBe(0);
    expect(stdout).toMatch(/^valid {2}.*2 files, 1 service, 1 policy, 3 rules/m);
    expect(stdout).toContain("no decision tests yet");
  });

  it("accepts the shipped policies without a warning", async () => {
    const { code, stdout } = await runCli(["validate", "-o", "json"]);
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({ schema: "sallyport.dev/validate/v1", valid: true, diagnostics: [] });
  });

  it("exits 3, prints every problem with its place, and says how many", async () => {
    const { code, stdout } = await runCli(["validate", "--policies", await temporaryDirectory(BROKEN)]);
    expect(code).toBe(3);
    expect(stdout).toContain("shop/broken.yaml:8:5");
    expect(stdout).toContain("^");
    expect(stdout).toMatch(/^invalid {2}.*: [1-9] errors?/m);
  });

  it("prints diagnostics as JSON", async () => {
    const { code, stdout } = await runCli(["validate", "--policies", await temporaryDirectory(BROKEN), "-o", "json"]);
    expect(code).toBe(3);
    const report = JSON.parse(stdout);
    expect(report).toMatchObject({ valid: false, counts: null });
    expect(report.diagnostics).toContainEqual(
      expect.objectContaining({
        code: "unknown-key",
        severity: "error",
        file: "shop/broken.yaml",
        line: 8,
        namespace: "shop",
      }),
    );
  });

  it("prints SARIF", async () => {
    const dir = await temporaryDirectory(BROKEN);
    const { stdout } = await runCli(["validate", "--policies", dir, "-o", "sarif"]);
    const log = JSON.parse(stdout);
    expect(log.version).toBe("2.1.0");
    const { physicalLocation } = log.runs[0].results[0].locations[0];
    expect(physicalLocation.region.startLine).toBe(8);
    expect(physicalLocation.artifactLocation.uri).toBe(pathToFileURL(`${dir}/shop/broken.yaml`).href);
  });

  it("teaches in --help", async () => {
    const { code, stdout } = await runCli(["validate", "--help"]);
    expect(code).toBe(0);
    expect(stdout).toContain("Examples:");
    expect(stdout).toContain("Exit codes:");
  });
});

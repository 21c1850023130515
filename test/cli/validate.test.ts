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
  it("accepts the shipped policies without a warning", async () => {
    const { code, stdout } = await runCli(["validate", "-o", "json"]);
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({ schema: "sallyport.dev/validate/v1", valid: true, diagnostics: [] });
  });

  it("names a file outside of the repository by its whole path in SARIF", async () => {
    const dir = await temporaryDirectory(BROKEN);
    const { stdout } = await runCli(["validate", "--policies", dir, "-o", "sarif"]);
    const log = JSON.parse(stdout);
    const { physicalLocation } = log.runs[0].results[0].locations[0];
    expect(physicalLocation.region.startLine).toBe(8);
    expect(physicalLocation.artifactLocation.uri).toBe(pathToFileURL(`${dir}/shop/broken.yaml`).href);
  });
});

import { chmodSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { findEnvoy } from "../../src/cli/demo/envoy-binary.ts";
import { REPOSITORY, run } from "../cli/run-cli.ts";

/** A machine without Envoy: none named, none on PATH, none cached, and a Python whose pip fetches nothing. */
let machine = "";

beforeAll(() => {
  machine = mkdtempSync(join(tmpdir(), "sallyport-no-envoy-"));
  writeFileSync(join(machine, "python3"), "#!/bin/sh\necho 'no index to be reached' >&2\nexit 1\n");
  chmodSync(join(machine, "python3"), 0o755);
});

afterAll(() => rmSync(machine, { recursive: true, force: true }));

describe("with no Envoy to be had", () => {
  it("looking for one fails and names the three ways", async () => {
    const search = findEnvoy({ env: { PATH: machine }, cache: join(machine, "cache") });
    await expect(search).rejects.toThrow(/ENVOY_BIN.*PATH.*pip/);
  });

  it("an ENVOY_BIN that is no program fails rather than fall back", async () => {
    const search = findEnvoy({ env: { ...process.env, ENVOY_BIN: join(machine, "nothing") }, cache: machine });
    await expect(search).rejects.toThrow("ENVOY_BIN names");
  });

  it("the demo fails, and names the three ways", async () => {
    const env = { ENVOY_BIN: "", PATH: machine, SALLYPORT_CACHE_DIR: join(machine, "cache") };
    const { code, stderr } = await run(
      process.execPath,
      [join(REPOSITORY, "src/cli/main.ts"), "demo"],
      REPOSITORY,
      env,
    );
    expect(code).toBe(1);
    expect(stderr).toMatch(/ENVOY_BIN.*PATH.*pip/s);
  });

  it("every end-to-end test file fails: none passes, none is skipped over", async () => {
    const report = join(machine, "report.json");
    const vitest = join(REPOSITORY, "node_modules/vitest/vitest.mjs");
    const args = [vitest, "run", "test/e2e", "--reporter=json", `--outputFile=${report}`];
    const env = { ENVOY_BIN: "", PATH: machine, SALLYPORT_CACHE_DIR: join(machine, "cache") };
    const { code } = await run(process.execPath, args, REPOSITORY, env);
    expect(code).not.toBe(0);
    const { default: results } = await import(report, { with: { type: "json" } });
    expect(results.success).toBe(false);
    expect(results.testResults.length).toBeGreaterThan(0);
    for (const file of results.testResults) expect(file).toMatchObject({ status: "failed" });
    expect(results.numPassedTests).toBe(0);
  });
}, 120_000);

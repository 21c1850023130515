import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { Ajv } from "ajv";
import { describe, expect, it } from "vitest";
import { openFile } from "../audit/fixtures.ts";
import { type Told, writeRecords } from "../audit/records.ts";
import { SMALL_SET, temporaryDirectory } from "./policy-dir.ts";
import { REPOSITORY, runCli } from "./run-cli.ts";

const require = createRequire(import.meta.url);
const POLICIES = join(REPOSITORY, "test/cli/lint-policies");
const NOW_MS = Date.parse("2026-11-23T12:00:00Z");
const DAY_MS = 86_400_000;
const NOW = ["--now", "2026-11-23T12:00:00Z"];

function lint(...args: string[]) {
  return runCli(["lint", "--policies", "test/cli/lint-policies", ...NOW, ...args]);
}

interface FoundJson {
  readonly code: string;
  readonly subject: string;
}

async function codes(...args: string[]): Promise<string[]> {
  const { stdout } = await lint("-o", "json", ...args);
  return JSON.parse(stdout).findings.map(({ code, subject }: FoundJson) => `${code} ${subject}`);
}

/** Writes a trail of compressed days, the first `days` ago. Returns its file. */
async function trail(days: number, told: readonly Omit<Told, "timeMs">[]): Promise<string> {
  const path = join(await temporaryDirectory({}), "audit.jsonl");
  let nowMs = NOW_MS - days * DAY_MS - 1000;
  const sink = await openFile(path, { now: () => nowMs, maxAgeMs: DAY_MS, packing: "gzip" });
  for (let day = days; day > 0; day--) {
    nowMs = NOW_MS - day * DAY_MS - 1000;
    const records = told.map((each) => ({ ...each, protocol: "tls" as const, timeMs: nowMs + 2000 }));
    await writeRecords(sink, records);
  }
  await sink.close();
  return path;
}

const VENDOR = {
  workload: "app",
  host: "api.vendor.example.com",
  rules: ["shop/shop/vendor", "shop/shop/vendor-again"],
};
const PICTURE = { workload: "app", host: "img.cdn.example.com", rules: ["shop/shop/pictures"] };

describe("lint", () => {
  it("prints SARIF 2.1.0 by the published schema", async () => {
    const { code, stdout } = await lint("-o", "sarif");
    expect(code).toBe(4);
    const file = require.resolve("@microsoft/jest-sarif/lib/schemas/sarif-2.1.0-rtm.5.json");
    const { $schema: _, id: __, ...schema } = JSON.parse(readFileSync(file, "utf8"));
    const ajv = new Ajv({ strict: false, validateFormats: false, unicodeRegExp: false, allErrors: true });
    const validate = ajv.compile(schema);
    expect(validate(JSON.parse(stdout)), JSON.stringify(validate.errors)).toBe(true);
    expect(validate({ ...JSON.parse(stdout), version: "2.2.0" })).toBe(false);
  });

  it("fails on what --fail-on names", async () => {
    const failing = async (severity: string, path: string) => (await lint("--fail-on", severity, path)).code;
    const gateway = join(POLICIES, "gateway.yaml");
    const shop = join(POLICIES, "shop");
    expect(await failing("warning", gateway)).toBe(4);
    expect(await failing("error", gateway)).toBe(0);
    expect(await failing("never", shop)).toBe(0);
  });

  it("tells only of what lies in the paths, and looks through the whole set", async () => {
    expect(await codes(join(POLICIES, "gateway.yaml"))).toEqual(["shadowed-rule company/till"]);
    expect(await codes(join(POLICIES, "shop"), "--within", "1d")).toEqual(["duplicate-rule shop/shop/vendor-again"]);
    const strange = await lint(REPOSITORY);
    expect(strange.code).toBe(64);
    expect(strange.stderr).toContain("--policies");
  });

  it("knows who no longer answers", async () => {
    const dir = await temporaryDirectory({ owners: "# by hand\nsecurity@example.com\n" });
    expect(await codes("--owners", join(dir, "owners"), "--within", "1d")).toContain("owner-gone shop/shop");
    const absent = await lint("--owners", join(dir, "none"));
    expect(absent.code).toBe(1);
    expect(absent.stderr).toContain("one owner a line");
  });

  it("finds in a trail what was not used, and wildcards that are wider than what went through", async () => {
    const file = await trail(3, [VENDOR, PICTURE]);
    const found = await codes("--audit", file, "--days", "3", "--fail-on", "never");
    expect(found.filter((each) => /unused|wide/.test(each))).toEqual([
      "wide-wildcard cdn",
      "unused-rule company/till",
      "unused-rule shop/shop/trial",
    ]);
    const { stdout } = await lint("--audit", file, "--days", "2", "-o", "json");
    expect(JSON.parse(stdout).trail).toEqual({ since: "2026-11-21T12:00:00.000Z", records: 4, unreadable: 0 });
  });

  it("does not judge by a trail that is too short, missing or said nothing of", async () => {
    const file = await trail(3, [VENDOR]);
    const short = await lint("--audit", file);
    expect(short.code).toBe(1);
    expect(short.stderr).toContain("cannot say what was unused in 30 days");
    expect((await lint("--audit", "no-such-file")).code).toBe(1);
    expect((await lint("--days", "3")).code).toBe(64);
  });

  it("finds nothing in a set that has nothing to find", async () => {
    const { code, stdout } = await runCli([
      "lint",
      "--policies",
      await temporaryDirectory(SMALL_SET),
      ...NOW,
      "--fail-on",
      "error",
    ]);
    expect(code).toBe(0);
    expect(stdout).toContain("1 note");
    const ended = await runCli(["lint", ...NOW, "--output", "json"]);
    expect(ended.code).toBe(0);
  });
});

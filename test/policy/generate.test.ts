import { spawnSync } from "node:child_process";
import { appendFileSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";

const ROOT = join(import.meta.dirname, "../..");
let out = "";

beforeEach(() => {
  out = mkdtempSync(join(tmpdir(), "sallyport-generate-"));
});

afterEach(() => rmSync(out, { recursive: true, force: true }));

function generate(...args: string[]) {
  const { status, stdout } = spawnSync(process.execPath, [join(ROOT, "scripts/generate.ts"), ...args], {
    encoding: "utf8",
  });
  return { status, stdout };
}

it("what is checked in is what the sources make", () => {
  expect(generate("--check")).toEqual({ status: 0, stdout: "" });
});

it("writes all files, and then has nothing to do", () => {
  expect(generate("--out", out).status).toBe(0);
  expect(readdirSync(join(out, "docs/schema")).sort()).toEqual(readdirSync(join(ROOT, "docs/schema")).sort());
  expect(generate("--out", out, "--check")).toEqual({ status: 0, stdout: "" });
});

// Seven processes, which a busy machine starts slowly.
it("--check fails on a changed, a missing and a left-over file, and shows where", { timeout: 120_000 }, () => {
  expect(generate("--out", out, "--check")).toMatchObject({ status: 1, stdout: expect.stringContaining("is missing") });
  generate("--out", out);
  appendFileSync(join(out, "docs/diagnostics.md"), "more\n");
  expect(generate("--out", out, "--check")).toMatchObject({ status: 1, stdout: expect.stringContaining("- more") });
  generate("--out", out);
  writeFileSync(join(out, "docs/schema/old.json"), "{}");
  expect(generate("--out", out, "--check")).toMatchObject({ status: 1, stdout: expect.stringContaining("old.json") });
  generate("--out", out);
  expect(generate("--out", out, "--check").status).toBe(0);
});

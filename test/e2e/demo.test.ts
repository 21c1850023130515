import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { REPOSITORY, runCli } from "../cli/run-cli.ts";

/** Where the demonstration puts its certificates, copies and sockets. */
let temporary = "";
beforeAll(() => {
  temporary = mkdtempSync(join(tmpdir(), "sallyport-demo-"));
});
afterAll(() => rmSync(temporary, { recursive: true, force: true }));

describe("sallyport demo", () => {
  it("shows the shipped policies at work: every outcome is as expected", async () => {
    const { code, stdout, stderr } = await runCli(["demo", "--output", "json"]);
    expect(stderr).toBe("");
    const { passed, steps } = JSON.parse(stdout);
    expect(steps.filter((step: { asExpected: boolean }) => !step.asExpected)).toEqual([]);
    expect(steps.length).toBeGreaterThanOrEqual(12);
    expect(steps.at(-1)).toMatchObject({ effect: "deny", reason: "no-matching-rule", seen: "403" });
    expect({ code, passed }).toEqual({ code: 0, passed: true });
  });

  const moments = ["starting Envoy", "Running until you press Ctrl-C"];
  it.each(moments)("interrupted at '%s' it ends with 130 and leaves nothing behind", async (moment) => {
    const args = [`${REPOSITORY}/src/cli/main.ts`, "demo", "--stay"];
    const env = { ...process.env, TMPDIR: temporary };
    const child = spawn(process.execPath, args, { env, stdio: ["ignore", "pipe", "inherit"] });
    let said = "";
    child.stdout.setEncoding("utf8").on("data", (text: string) => {
      if (!said.includes(moment) && (said + text).includes(moment)) child.kill("SIGINT");
      said += text;
    });
    const [code] = await once(child, "close");
    expect(said).toContain(moment);
    expect(code).toBe(130);
    expect(readdirSync(temporary)).toEqual([]);
  });
}, 90_000);

import { describe, expect, it } from "vitest";
import { REPOSITORY, run } from "./run-cli.ts";

/** The exit code of a command whose output goes to a program that ends without reading it, and what it complains of. */
async function unread(command: string): Promise<{ readonly code: number; readonly stderr: string }> {
  const script = `"${process.execPath}" src/cli/main.ts ${command} | true; exit "\${PIPESTATUS[0]}"`;
  const { code, stderr } = await run("bash", ["-c", script], REPOSITORY);
  return { code: code ?? -1, stderr };
}

describe("output that nobody reads", () => {
  it.each([
    ["--help", 0],
    ["validate", 0],
    ["check payments/checkout 'GET http://unknown.example.com/'", 2],
    ["diff test/cli/change-policies/old test/cli/change-policies/new --fail-on change", 5],
  ])("leaves `%s` its exit code", async (command, code) => {
    expect(await unread(command)).toEqual({ code, stderr: "" });
  });

  it("ends a command that would go on until it is stopped", async () => {
    expect(await unread("test --watch")).toMatchObject({ code: expect.any(Number), stderr: "" });
  }, 20_000);
});

it.skipIf(process.platform !== "linux")("output that cannot be written is told as a failure", async () => {
  const script = `"${process.execPath}" src/cli/main.ts validate > /dev/full`;
  const { code, stderr } = await run("bash", ["-c", script], REPOSITORY);
  expect(stderr).toMatch(/^error: the output cannot be written: ENOSPC.*\n {2}make room.*\n$/);
  expect(code).toBe(1);
});

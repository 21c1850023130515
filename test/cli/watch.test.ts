import { type ChildProcess, spawn } from "node:child_process";
import { rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";
import { SMALL_SET, temporaryDirectory } from "./policy-dir.ts";
import { REPOSITORY, runCli } from "./run-cli.ts";

function suite(expected: string): string {
  return `apiVersion: sallyport.dev/v1alpha1
kind: DecisionTest
metadata: {name: small}
spec:
  now: 2026-11-23T12:00:00Z
  cases:
  - name: reading
    from: shop/cart
    to: GET http://api.vendor.example.com/prices
    headers: {x-team: a}
    expect: ${expected}
`;
}

interface Watching {
  readonly child: ChildProcess;
  /** Waits until what was printed since the last wait matches. */
  until(pattern: RegExp): Promise<string>;
  readonly ended: Promise<number | null>;
}

function watching(dir: string): Watching {
  const child = spawn(process.execPath, [join(REPOSITORY, "src/cli/main.ts"), "test", "--watch", "--policies", dir]);
  onTestFinished(() => {
    child.kill("SIGKILL");
  });
  let said = "";
  let look = (): void => undefined;
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding("utf8").on("data", (text: string) => {
      said += text;
      look();
    });
  }
  return {
    child,
    until: (pattern) =>
      new Promise((resolve) => {
        look = () => {
          const match = pattern.exec(said);
          if (match === null) return;
          const told = said.slice(0, match.index + match[0].length);
          said = said.slice(told.length);
          look = () => undefined;
          resolve(told);
        };
        look();
      }),
    ended: new Promise((resolve) => child.once("exit", (code) => resolve(code))),
  };
}

describe("test --watch", { timeout: 120_000 }, () => {
  it("runs again on each change, bears what is broken meanwhile, and ends on SIGINT", async () => {
    const dir = await temporaryDirectory({ ...SMALL_SET, "small.test.yaml": suite("allow") });
    const { child, until, ended } = watching(dir);
    expect(await until(/Ctrl\+C ends/)).toMatch(/^ok {2}1 case passed/);
    await writeFile(join(dir, "small.test.yaml"), suite("deny"));
    await until(/FAIL small\/reading[\s\S]*Ctrl\+C ends/);
    await writeFile(join(dir, "bad.yaml"), "kind: Nonsense\n");
    await until(/error\[unknown-kind\][\s\S]*sallyport validate/);
    await rm(join(dir, "bad.yaml"));
    // As editors do: written elsewhere, then moved into its place.
    await writeFile(join(dir, ".draft"), suite("allow"));
    await rename(join(dir, ".draft"), join(dir, "small.test.yaml"));
    await until(/ok {2}1 case passed[\s\S]*Ctrl\+C ends/);
    await rename(dir, `${dir}-away`);
    await until(/cannot be read/);
    await rename(`${dir}-away`, dir);
    await until(/ok {2}1 case passed[\s\S]*Ctrl\+C ends/);
    child.kill("SIGINT");
    expect(await ended).toBe(0);
  });

  it("does not run again when the files say the same", async () => {
    const dir = await temporaryDirectory({ ...SMALL_SET, "small.test.yaml": suite("allow") });
    const { child, until, ended } = watching(dir);
    await until(/Ctrl\+C ends/);
    await writeFile(join(dir, ".draft"), suite("allow"));
    await rename(join(dir, ".draft"), join(dir, "small.test.yaml"));
    await writeFile(join(dir, "notes.txt"), "not a policy");
    await writeFile(join(dir, ".draft"), `# new\n${SMALL_SET["gateway.yaml"]}`);
    await rename(join(dir, ".draft"), join(dir, "gateway.yaml"));
    expect((await until(/Ctrl\+C ends/)).match(/has changed/g)).toHaveLength(1);
    child.kill("SIGTERM");
    expect(await ended).toBe(0);
  });

  it("is for people", async () => {
    expect(await runCli(["test", "--watch", "-o", "json"])).toMatchObject({ code: 64, stdout: "" });
  });
});

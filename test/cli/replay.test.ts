import { execFile } from "node:child_process";
import { cp, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { describe, expect, it } from "vitest";
import { type Asked, writeTrail } from "../replay/trail.ts";
import { temporaryDirectory } from "./policy-dir.ts";
import { REPOSITORY, runCli, withoutDigests } from "./run-cli.ts";

const OLD = "test/cli/change-policies/old";
const NEW = "test/cli/change-policies/new";
const VENDOR = "http://api.vendor.example.com";

const DAYS: readonly (readonly Asked[])[] = [
  [
    ["app", `GET ${VENDOR}/v1/prices`],
    ["app", `GET ${VENDOR}/v1/prices/7`],
    ["app", `GET ${VENDOR}/v1/prices/7/history`],
    ["web", `GET ${VENDOR}/v1/prices/8/history?secret=1`],
    ["app", `HEAD ${VENDOR}/v1/prices/7`],
  ],
  [
    ["app", `POST ${VENDOR}/v1/orders`, [["x-team", "checkout"]]],
    ["app", `POST ${VENDOR}/v1/orders`, [["x-team", "refunds"]]],
    ["app", `POST ${VENDOR}/v1/orders`],
    [
      "chat",
      `GET ${VENDOR}/ws`,
      [
        ["connection", "upgrade"],
        ["upgrade", "websocket"],
      ],
    ],
    ["chat", "GET http://eu.cdn.example.com/smile.png"],
  ],
  [
    ["web", "GET http://eu.cdn.example.com/internal/logo.png"],
    ["web", "GET http://us.cdn.example.com/internal/logo.png"],
    ["app", "TLS api.vendor.example.com"],
    ["app", "TLS elsewhere.example.com"],
  ],
];

function golden(name: string): string {
  return join(REPOSITORY, "test/cli/golden/replay", name);
}

/** Runs `replay` over a trail, and gives the trail a name that is the same everywhere. */
async function replay(log: string, ...args: string[]) {
  const { code, stdout, stderr } = await runCli(["replay", log, ...args]);
  const plain = (text: string) => text.replaceAll(log, "audit.jsonl");
  return { code, stdout: plain(stdout), stderr: plain(stderr) };
}

describe("replay", () => {
  it("groups what changes, checks itself, and says what cannot be told", async () => {
    const log = await writeTrail(DAYS);
    const { code, stdout, stderr } = await replay(log, "--policies", NEW, "--was", OLD);
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    await expect(withoutDigests(stdout)).toMatchFileSnapshot(golden("changed.txt"));
    const json = await replay(log, "--policies", NEW, "--was", OLD, "-o", "json");
    await expect(withoutDigests(json.stdout)).toMatchFileSnapshot(golden("changed.json"));
  });

  it("tells what headers on record decide", async () => {
    const log = await writeTrail(DAYS, { headers: ["x-team", "upgrade", "connection"] });
    const { stdout } = await replay(log, "--policies", NEW, "--was", OLD, "-o", "json");
    const { undecidable, changed, reproduced } = JSON.parse(stdout);
    // A header that did not come looks as one that is not recorded.
    expect(undecidable).toMatchObject({ count: 1, classes: [{ on: ["header x-team"] }] });
    expect(changed).toEqual({ widening: 4, narrowing: 2, "shadow-widening": 0, "shadow-narrowing": 2 });
    expect(reproduced.exact + reproduced.completed).toBe(14);
  });

  it("says which revisions are not at hand", async () => {
    const log = await writeTrail(DAYS);
    const { code, stdout } = await replay(log, "--policies", NEW);
    expect(code).toBe(0);
    expect(stdout).toContain("14 were decided by 1 revision not at hand: name them with --was");
  });

  it("finds nothing changed, and everything reproduced, under the policies that decided", async () => {
    const log = await writeTrail(DAYS);
    const { code, stdout } = await replay(log, "--policies", OLD, "--fail-on", "change");
    expect(code).toBe(0);
    expect(stdout).toContain("14 of 14 come out as recorded");
    expect(stdout).toContain("          14  as before\n");
  });

  it("takes the same policies for both", async () => {
    const log = await writeTrail(DAYS);
    const { code, stdout } = await replay(log, "--policies", OLD, "--was", OLD, "-o", "json");
    expect(code).toBe(0);
    const { same, changed, reproduced } = JSON.parse(stdout);
    expect(Object.values(changed)).toEqual([0, 0, 0, 0]);
    expect([same, reproduced.exact + reproduced.completed]).toEqual([14, 14]);
  });

  it("shows it as a fault of ours when a record does not come out as recorded", async () => {
    const log = await writeTrail(DAYS, { change: (line) => line.replace("shop/shop/tunnel", "shop/shop/other") });
    const { code, stdout } = await replay(log, "--policies", NEW, "--was", OLD);
    expect(code).toBe(1);
    expect(stdout).toContain("13 of 14 come out as recorded");
    expect(stdout).toContain("a fault of ours");
    expect(stdout).toContain("recorded allow allowed-by-rule shop/shop/other");
  });

  it("exits 5 on what --fail-on names", async () => {
    const narrowed = await writeTrail([[["chat", "GET http://eu.cdn.example.com/smile.png"]]]);
    const code = async (log: string, failOn: string) =>
      (await replay(log, "--policies", NEW, "--fail-on", failOn)).code;
    expect(await code(narrowed, "widening")).toBe(0);
    expect(await code(narrowed, "change")).toBe(5);
    expect(await code(await writeTrail(DAYS), "widening")).toBe(5);
    expect(await code(narrowed, "never")).toBe(0);
  });

  it("takes bundles and git revisions, with the same outcome", async () => {
    const log = await writeTrail(DAYS);
    const dir = await temporaryDirectory({});
    const git = (...args: string[]) =>
      promisify(execFile)("git", ["-c", "user.name=t", "-c", "user.email=t@example.com", ...args], { cwd: dir });
    await git("init", "-q");
    for (const set of [OLD, NEW]) {
      await rm(join(dir, "policies"), { recursive: true, force: true });
      await cp(join(REPOSITORY, set), join(dir, "policies"), { recursive: true });
      await writeFile(join(dir, "policies", ".hidden.yaml"), "not: a policy\n");
      await git("add", "-A");
      await git("commit", "-q", "-m", set);
    }
    for (const [name, set] of [
      ["old", OLD],
      ["new", NEW],
    ] as const) {
      await runCli(["compile", "--policies", set, "--out", join(dir, `${name}.bundle`)]);
    }
    const from = (policies: string, was: string) =>
      runCli(["replay", log, "--policies", policies, "--was", was, "-o", "json"], { cwd: dir });
    const expected = (await replay(log, "--policies", NEW, "--was", OLD, "-o", "json")).stdout;
    expect((await from("new.bundle", "old.bundle")).stdout).toBe(expected);
    expect((await from("HEAD:policies", "HEAD~1:policies")).stdout).toBe(expected);
    await git("add", "-f", "old.bundle");
    expect((await from("policies", ":old.bundle")).stdout).toBe(expected);
    for (const strange of ["HEAD:nowhere", "HEAD~9:policies", "nowhere", "--version:x"]) {
      const { code, stderr } = await from("policies", strange);
      expect(code, strange).toBe(1);
      expect(stderr, strange).toContain("HEAD~1:policies");
    }
  });

  it("reads only the time that is asked for", async () => {
    const log = await writeTrail(DAYS);
    const { stdout } = await replay(
      log,
      "--policies",
      NEW,
      "-o",
      "json",
      "--from",
      "2026-11-21T08:00:00Z",
      "--to",
      "2026-11-21T23:00:00Z",
    );
    expect(JSON.parse(stdout).records).toBe(5);
  });

  it("counts lines that are no records, and prints nothing that steers a terminal", async () => {
    const log = await writeTrail(
      [[["chat", "GET http://eu.cdn.example.com/\u001b[31m"]], [["app", "TLS api.vendor.example.com"]]],
      {
        change: (line) => (line.includes('"tls"') ? line.replace('"rules":[', '"rules":[7,') : line),
      },
    );
    const { code, stdout } = await replay(log, "--policies", NEW);
    expect(code).toBe(0);
    expect(stdout).toContain("1  unreadable, see: sallyport audit verify");
    expect(stdout).not.toContain("\u001b");
  });

  it("exits 1 without a trail, 3 on invalid policies, 64 on wrong options", async () => {
    expect((await replay("no-such-file.jsonl", "--policies", NEW)).code).toBe(1);
    const log = await writeTrail([[["app", "TLS api.vendor.example.com"]]]);
    const bad = await temporaryDirectory({ "gateway.yaml": "kind: Nonsense\n" });
    expect((await replay(log, "--policies", bad)).code).toBe(3);
    expect((await replay(log, "--policies", NEW, "--was", bad)).code).toBe(3);
    const file = await temporaryDirectory({ bundle: "SLYP" });
    expect((await replay(log, "--policies", join(file, "bundle"))).code).toBe(1);
    expect((await replay(log, "--policies", NEW, "--fail-on", "narrowing")).code).toBe(64);
    expect((await replay(log, "--policies", NEW, "--from", "yesterday")).code).toBe(64);
  });
});

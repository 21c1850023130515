import { spawnSync } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { waitUntil } from "../../src/cli/demo/process.ts";
import { runCli } from "../cli/run-cli.ts";
import { type CheckClient, connectClient, httpCheck, told } from "../server/harness.ts";
import { type Serving, startServing } from "../support/serve.ts";
import { mountSmallDisk, noSmallDisk, type SmallDisk } from "../support/small-disk.ts";

/** How soon a failure must be told. */
const ALARM_MS = 1_000;
/** How soon it must be over when its cause is. */
const SOON_MS = 3_000;

const noTmpfs = noSmallDisk("tmpfs");
const noLoop = noSmallDisk("loop");
const noJournal = noSmallDisk("journal");
if (noTmpfs !== null) process.stdout.write(`no faults on a tmpfs: ${noTmpfs}\n`);
if (noJournal !== null) process.stdout.write(`no disk that turns read-only: ${noJournal}\n`);
if (noLoop !== null) process.stdout.write(`no faults on a loop device: ${noLoop}\n`);

const closing: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});

async function serving(flags: Readonly<Record<string, string>>, until?: "/livez"): Promise<[Serving, CheckClient]> {
  const server = await startServing({ "log-level": "silent", ...flags }, until);
  const client = connectClient(server.address);
  closing.push(
    () => server.child.stop(),
    () => client.close(),
  );
  return [server, client];
}

/** Ids of what was allowed, in this test. */
const allowed: string[] = [];
afterEach(() => allowed.splice(0));

const outcomeOf = async (client: CheckClient): Promise<string> => {
  const answer = await client.check(httpCheck());
  if (answer.status?.code) return `${answer.status.message}`;
  allowed.push(`${told(answer).decision_id}`);
  return "allow";
};

/** Taken = written + lost + pending, read in one scrape. */
async function expectIdentity(server: Serving): Promise<void> {
  const text = await (await server.page("/metrics")).text();
  const sum = (name: string) =>
    text
      .split("\n")
      .filter((line) => line.startsWith(`sallyport_audit_${name}`) && /^\S+ \d/.test(line))
      .reduce((all, line) => all + Number(line.split(" ").at(-1)), 0);
  expect(sum("taken_total")).toBe(sum("written_total") + sum("failed_total") + sum("pending"));
}

const events = (file: string) =>
  readFileSync(file, "utf8")
    .split("\n")
    .slice(0, -1)
    .map((line) => JSON.parse(line))
    .filter((line) => "event" in line && line.event !== "seal");

type Mode = "strict" | "batch" | "drop";
const MODES: readonly Mode[] = ["strict", "batch", "drop"];

/** What a failing trail does to answers and readiness, and that it is over by itself. */
async function expectMode(mode: Mode, server: Serving, client: CheckClient, mend: () => void): Promise<void> {
  const failing = () => server.metric("sallyport_audit_failing").then((value) => value === 1);
  // Where nobody is asked, the failure shows with the next lines.
  const alarmed = async () => {
    await outcomeOf(client);
    return failing();
  };
  await waitUntil("the alarm", alarmed, ALARM_MS, server.child);
  // A device takes what it has room for even now and then refuses again: a lucky write is no answer to this question.
  const seen = async () => [await server.ready(), await outcomeOf(client)].join();
  const asModeSays = mode === "drop" ? "true,allow" : "false,audit-failed";
  await waitUntil(asModeSays, async () => (await seen()) === asModeSays, ALARM_MS, server.child);
  await expectIdentity(server);
  mend();
  await waitUntil("recovery", async () => !(await failing()) && (await server.ready()), SOON_MS, server.child);
  expect(await outcomeOf(client)).toBe("allow");
  await expectIdentity(server);
}

/** The trail proves itself; and in `strict`, whatever was allowed is in it. */
async function expectWhole(mode: Mode, file: string): Promise<void> {
  const { code, stdout } = await runCli(["audit", "verify", file]);
  expect(stdout).toMatch(/^as it was written/);
  expect(code).toBe(0);
  if (mode !== "strict") return;
  const files = readdirSync(dirname(file)).filter((name) => /^audit\.jsonl(\.\d+)?$/.test(name));
  const lines = files.flatMap((name) =>
    readFileSync(join(dirname(file), name), "utf8")
      .split("\n")
      .slice(0, -1),
  );
  const recorded = new Set(lines.map((line) => JSON.parse(line).id));
  expect(allowed.length).toBeGreaterThan(1);
  expect(allowed.filter((id) => !recorded.has(id))).toEqual([]);
}

describe.skipIf(noTmpfs !== null)("a disk that fills up", () => {
  it.each(MODES)(
    "%s: behaves as the mode says, recovers by itself, and says what is missing",
    async (mode) => {
      const disk = mountSmallDisk("tmpfs");
      closing.push(() => disk.remove());
      const file = join(disk.path, "audit.jsonl");
      const [server, client] = await serving({ "audit-to": file, "audit-mode": mode });
      expect(await outcomeOf(client)).toBe("allow");
      disk.fill();
      // A page that is begun has room left.
      for (let n = 0; n < 20; n += 1) await outcomeOf(client);
      await expectMode(mode, server, client, () => disk.free());
      await server.child.stop();
      const lost = events(file).filter(({ event }) => event === "gap");
      expect(lost.length).toBeGreaterThan(0);
      for (const each of lost) expect(each.failure).toContain("ENOSPC");
      expect(events(file).some(({ event }) => event === "sink-recovered")).toBe(true);
      // Nothing was refused that the disk had been given: the file is as good as before.
      expect(readdirSync(disk.path).filter((name) => name.startsWith("audit.jsonl."))).toEqual(["audit.jsonl.lock"]);
      await expectWhole(mode, file);
    },
    60_000,
  );
});

describe.skipIf(noLoop !== null)("a device that fails or hangs", () => {
  let disk: SmallDisk;
  beforeEach(() => {
    disk = mountSmallDisk("loop");
    closing.push(() => disk.remove());
  });

  it.each(MODES)(
    "%s: what the device refused is taken back and counted, and writing goes on in a new file",
    async (mode) => {
      const file = join(disk.path, "audit.jsonl");
      const [server, client] = await serving({ "audit-to": file, "audit-mode": mode, "audit-compress": "none" });
      expect(await outcomeOf(client)).toBe("allow");
      disk.fill();
      // A block that is there already can still be written again.
      for (let n = 0; n < 20; n += 1) await outcomeOf(client);
      await expectMode(mode, server, client, () => disk.free());
      await server.child.stop();
      expect(events(`${file}.000001`)[0]).toMatchObject({ event: "segment", segment: 1 });
      expect(events(file)[0]).toMatchObject({ event: "segment" });
      expect(events(file).some(({ event }) => event === "gap")).toBe(true);
      await expectWhole(mode, file);
    },
    60_000,
  );

  it.each(MODES)(
    "%s: a write that does not return counts as failing within seconds, and nothing of it is lost",
    async (mode) => {
      const file = join(disk.path, "audit.jsonl");
      const [server, client] = await serving({ "audit-to": file, "audit-mode": mode });
      expect(await outcomeOf(client)).toBe("allow");
      disk.freeze();
      await expectMode(mode, server, client, () => disk.thaw());
      expect(await server.metric('sallyport_audit_failed_total{reason="not-written"}')).toBe(0);
      await server.child.stop();
      await expectWhole(mode, file);
    },
    60_000,
  );
});

describe.skipIf(noJournal !== null)("a disk that turns read-only", () => {
  it.each(MODES)(
    "%s: behaves as the mode says, lets go of the disk, and goes on once it is mended at the same place",
    async (mode) => {
      const disk = mountSmallDisk("journal");
      closing.push(() => disk.remove());
      const file = join(disk.path, "audit.jsonl");
      const [server, client] = await serving({ "audit-to": file, "audit-mode": mode, "audit-compress": "none" });
      expect(await outcomeOf(client)).toBe("allow");
      // What is being written at that instant a disk may take and lose: only strict's answer says that it is there.
      await waitUntil(
        "its record",
        async () => (await server.metric("sallyport_audit_pending")) === 0,
        SOON_MS,
        server.child,
      );
      disk.turnReadOnly();
      // An administrator cannot take a disk away while somebody holds a file of it.
      await expectMode(mode, server, client, () => disk.mend());
      await server.child.stop();
      const gaps = events(file).filter(({ event }) => event === "gap");
      expect(gaps.length).toBeGreaterThan(0);
      // Tried again while the disk is taken away, it says that.
      for (const each of gaps) expect(each.failure).toMatch(/EROFS|read.?only|is gone/i);
      expect(events(`${file}.000001`)[0]).toMatchObject({ event: "segment", segment: 1 });
      await expectWhole(mode, file);
    },
    60_000,
  );
});

describe("a pipe that nobody reads", () => {
  let directory = "";
  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), "sallyport-pipe-"));
    closing.push(() => rmSync(directory, { recursive: true, force: true }));
  });

  it.each(MODES)(
    "%s: on standard output",
    async (mode) => {
      // Whatever else the machine does, none is refused for overload.
      const [server, client] = await serving({ "audit-to": "stdout", "audit-mode": mode, "overload-max-wait": "30s" });
      const stdout = server.child.process.stdout;
      stdout?.pause();
      // More than a pipe and the streams before it hold, and no more than a connection may carry at once.
      const asked = Array.from({ length: 1_000 }, () => outcomeOf(client));
      const taken = async () => (await server.metric("sallyport_audit_taken_total")) >= 1_000;
      await waitUntil("the records of all", taken, 10_000, server.child);
      await expectMode(mode, server, client, () => stdout?.resume());
      const outcomes = new Set(await Promise.all(asked));
      expect([...outcomes].every((each) => each === "allow" || each === "audit-failed")).toBe(true);
      if (mode === "drop") expect([...outcomes]).toEqual(["allow"]);
    },
    60_000,
  );
});

describe("a destination that never works", () => {
  it.each(["strict", "batch"] as const)(
    "%s: nothing is allowed, and the server is not ready",
    async (mode) => {
      const [server, client] = await serving({ "audit-to": "/dev/full", "audit-mode": mode }, "/livez");
      await waitUntil(
        "the alarm",
        async () => (await server.metric("sallyport_audit_failing")) === 1,
        ALARM_MS,
        server.child,
      );
      expect(await server.ready()).toBe(false);
      await waitUntil("policies", async () => (await outcomeOf(client)) !== "no-policy", 10_000, server.child);
      const answer = await client.check(httpCheck());
      expect(answer.status).toEqual({ code: 14, message: "audit-failed" });
      expect(answer.error_response?.status?.code).toBe(503);
    },
    40_000,
  );

  it("a second server on the same file does not start, and leaves the first alone", async () => {
    const directory = mkdtempSync(join(tmpdir(), "sallyport-two-"));
    closing.push(() => rmSync(directory, { recursive: true, force: true }));
    const file = join(directory, "audit.jsonl");
    const [first, client] = await serving({ "audit-to": file, "audit-mode": "strict" });
    const second = await runCli(["serve", "--audit-to", file, "--listen", "127.0.0.1:0", "--admin", "none"]);
    expect(second.code).toBe(1);
    expect(second.stderr).toContain("is written by another process");
    expect(await outcomeOf(client)).toBe("allow");
    // The lock is the kernel's: it is gone with the process, however that ends.
    await first.child.stop("SIGKILL");
    const [, next] = await serving({ "audit-to": file, "audit-mode": "strict" });
    expect(await outcomeOf(next)).toBe("allow");
    expect(spawnSync("ls", [directory], { encoding: "utf8" }).stdout).toBe("audit.jsonl\naudit.jsonl.lock\n");
  }, 60_000);
});

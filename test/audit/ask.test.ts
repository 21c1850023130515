import { type ChildProcess, spawn } from "node:child_process";
import { appendFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { waitUntil } from "../../src/cli/demo/process.ts";
import { REPOSITORY, run, runCli } from "../cli/run-cli.ts";
import { openFile } from "./fixtures.ts";
import { type Told, writeRecords } from "./records.ts";

const DAY = 86_400_000;
const START = Date.parse("2026-11-01T00:00:00Z");
const RULE = "payments/payments-to-stripe/charge";

let directory = "";
let path = "";
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "sallyport-ask-"));
  path = join(directory, "audit.jsonl");
});
afterEach(() => rmSync(directory, { recursive: true, force: true }));

/** A trail of three days, a file a day, of which the first two are compressed. */
async function writeTrail(): Promise<void> {
  let nowMs = START;
  const sink = await openFile(path, { now: () => nowMs, maxAgeMs: DAY, packing: "zstd" });
  const days: readonly (readonly Told[])[] = [
    [
      { timeMs: START, host: "a.example.com", request: { cacheHit: false, latencyUs: 100 } },
      { timeMs: START + 1, host: "b.example.com", effect: "deny" },
      { timeMs: START + 2, host: "b.example.com", effect: "deny" },
    ],
    [{ timeMs: START + DAY, workload: "job", host: "a.example.com", shadow: "deny", rules: [RULE] }],
    [
      { timeMs: START + 2 * DAY, workload: "job", host: "c.example.com", effect: "deny" },
      { timeMs: START + 2 * DAY + 1, host: 'q"uote,d', effect: "deny" },
    ],
  ];
  for (const [day, records] of days.entries()) {
    nowMs = START + day * DAY;
    await writeRecords(sink, records);
  }
  await sink.close();
}

const ask = (...args: string[]) => runCli(["audit", "query", path, ...args]);
async function rows(...args: string[]): Promise<Record<string, unknown>[]> {
  const { code, stdout, stderr } = await ask(...args, "--output", "json");
  expect([code, stderr]).toEqual([0, ""]);
  return JSON.parse(stdout);
}

describe("sallyport audit query", () => {
  it("answers the ready questions, over open and compressed files", async () => {
    await writeTrail();
    const app = "spiffe://cluster.local/ns/shop/sa/app";
    const job = "spiffe://cluster.local/ns/shop/sa/job";
    expect((await rows("top-denied"))[0]).toMatchObject({ workload: app, host: "b.example.com", denied: 2 });
    expect(await rows("by-workload")).toMatchObject([
      { workload: app, allowed: 1, denied: 3, hosts: 3 },
      { workload: job, allowed: 1, denied: 1, hosts: 2 },
    ]);
    expect((await rows("by-host", "--limit", "1")).map(({ workloads }) => workloads)).toEqual([2]);
    expect(await rows("new-destinations", "--since", "2026-11-02T00:00:00Z")).toMatchObject([
      { workload: job, host: "a.example.com" },
      { workload: job, host: "c.example.com" },
      { workload: app, host: 'q"uote,d' },
    ]);
    expect(await rows("would-deny")).toMatchObject([
      { workload: job, host: "a.example.com", rules: [RULE], requests: 1 },
    ]);
    expect(await rows("latency")).toMatchObject([{ cache_hit: false, decisions: 6, max_us: 100 }]);
  }, 60_000);

  it("knows from the policies which rules were never used, and how exceptions were", async () => {
    await writeTrail();
    const policies = ["--policies", join(REPOSITORY, "policies")];
    const unused = await rows("unused-rules", ...policies, "--limit", "1000");
    expect(unused.length).toBeGreaterThan(3);
    expect(unused.map(({ rule }) => rule)).not.toContain(RULE);
    for (const each of unused) expect(each.place).toMatch(/^[\w/.-]+\.yaml:\d+$/);
    const { counts } = JSON.parse((await runCli(["validate", "--output", "json"])).stdout);
    expect(unused).toHaveLength(counts.rules - 1);
    const exceptions = await rows("exceptions", ...policies);
    for (const each of exceptions) expect(each.expires).toMatch(/^20\d\d-/);
    expect(exceptions.length).toBeGreaterThan(0);
  }, 60_000);

  it("takes SQL, reads only files of the time asked for, and writes tables, CSV and Parquet", async () => {
    await writeTrail();
    const count = "SELECT count(*) AS n FROM decisions";
    expect(await rows(count)).toEqual([{ n: 6 }]);
    expect(await rows(count, "--since", "2026-11-02T12:00:00Z")).toEqual([{ n: 2 }]);
    // The first file can be gone, broken or whatever it likes.
    writeFileSync(`${path}.000001.zst`, "no zstd at all");
    expect(await rows(count, "--since", "2026-11-02T12:00:00Z")).toEqual([{ n: 2 }]);
    expect((await ask(count)).code).toBe(1);
    rmSync(`${path}.000001.zst`);
    const csv = await ask("SELECT host, effect FROM decisions ORDER BY time", "--output", "csv");
    expect(csv.stdout).toBe('host,effect\na.example.com,allow\nc.example.com,deny\n"q""uote,d",deny\n');
    const parquet = join(directory, "answer.parquet");
    expect((await ask("FROM decisions", "--output", "parquet", "--to", parquet)).code).toBe(0);
    expect(readFileSync(parquet).subarray(0, 4).toString()).toBe("PAR1");
    const table = await ask("SELECT host, effect FROM decisions ORDER BY time");
    expect(table.stdout.split("\n").slice(0, 2)).toEqual(["host           effect", "a.example.com  allow"]);
  }, 60_000);

  it("says what cannot be read, and what is wrong with a question", async () => {
    await writeTrail();
    appendFileSync(path, '{"time":"2026-11-03T00:00:05.000Z","id":"x","eff\n');
    const torn = await ask("SELECT count(*) AS n FROM decisions", "--output", "json");
    expect([torn.code, JSON.parse(torn.stdout)]).toEqual([0, [{ n: 6 }]]);
    expect(torn.stderr).toContain("1 line of");
    const wrong: readonly (readonly [readonly string[], number, string])[] = [
      [["top-dennied"], 64, "there are top-denied"],
      [["new-destinations"], 64, "add --since"],
      [["unused-rules"], 64, "add --policies"],
      [["top-denied", "--output", "parquet"], 64, "add --to"],
      [["SELECT nothing FROM decisions"], 1, "nothing"],
      [["top-denied", "--limit", "0"], 64, "number"],
    ];
    for (const [args, code, text] of wrong) {
      const run = await ask(...args);
      expect([args[0], run.code]).toEqual([args[0], code]);
      expect(run.stderr).toContain(text);
    }
  }, 60_000);
});

it("asking says what is missing where the optional package is not installed", async () => {
  await writeTrail();
  const hook = `import { registerHooks } from "node:module";
registerHooks({ resolve(name, context, next) {
  if (name === "@duckdb/node-api") throw Object.assign(new Error("not installed"), { code: "ERR_MODULE_NOT_FOUND" });
  return next(name, context);
} });`;
  const env = { NODE_OPTIONS: `--import "data:text/javascript,${encodeURIComponent(hook)}"` };
  const main = join(REPOSITORY, "src/cli/main.ts");
  const { code, stderr } = await run(process.execPath, [main, "audit", "query", path, "top-denied"], directory, env);
  expect([code, stderr]).toEqual([1, expect.stringContaining("npm install @duckdb/node-api")]);
});

describe("sallyport audit verify", () => {
  it("looks at the files of a time only", async () => {
    await writeTrail();
    const none = await runCli(["audit", "verify", path, "--to", "2020-01-01T00:00:00Z"]);
    expect([none.code, none.stderr]).toEqual([1, expect.stringContaining("no file has lines of that time")]);
    writeFileSync(`${path}.000001.zst`, "no zstd at all");
    expect((await runCli(["audit", "verify", path])).code).toBe(1);
    const part = await runCli([
      "audit",
      "verify",
      path,
      "--from",
      "2026-11-02T00:00:00Z",
      "--to",
      "2026-11-02T23:00:00Z",
    ]);
    expect(part.stdout).toMatch(/^as it was written: 1 records in 1 file, 2 to 2 of trail/);
  });
});

describe("sallyport audit tail", () => {
  const running: ChildProcess[] = [];
  afterEach(() => {
    for (const each of running.splice(0)) each.kill("SIGKILL");
  });
  const tail = (...args: string[]) => runCli(["audit", "tail", path, ...args]);

  it("shows the newest that the filters let through", async () => {
    await writeTrail();
    const lines = async (...args: string[]) => (await tail(...args)).stdout.split("\n").slice(0, -1);
    expect(await lines()).toHaveLength(2);
    expect(await lines("-n", "1")).toEqual([expect.stringContaining('q"uote,d')]);
    expect(await lines("--workload", "*/sa/job")).toEqual([expect.stringContaining("GET c.example.com:443/v1")]);
    expect(await lines("--host", "c.*", "--effect", "allow")).toEqual([]);
    expect((await lines("--output", "csv"))[2]).toMatch(/,"q""uote,d",443,GET,\/v1,$/);
    const [first = ""] = await lines("--output", "json");
    expect(readFileSync(path, "utf8")).toContain(`${first}\n`);
    expect((await tail("--effect", "maybe")).code).toBe(64);
    expect((await runCli(["audit", "tail", join(directory, "none")])).code).toBe(1);
  }, 60_000);

  it("follows over many rotations without leaving out a line, also when files are compressed at once", async () => {
    const sink = await openFile(path, { maxBytes: 4_000, maxFiles: 1_000, packing: "zstd" });
    await writeRecords(sink, [{ timeMs: START, workload: "first" }]);
    const args = ["audit", "tail", path, "-f", "-n", "0", "--output", "json"];
    const child = spawn(process.execPath, [join(REPOSITORY, "src/cli/main.ts"), ...args], {
      stdio: ["ignore", "pipe", "pipe"],
    });
    running.push(child);
    let output = "";
    child.stdout.on("data", (bytes) => (output += bytes));
    const seen = () => new Set(output.split("\n").flatMap((line) => /sa\/(n\d+)"/.exec(line)?.[1] ?? []));
    // It is there once it has told of one.
    let probe = 0;
    const probing = async () => {
      await writeRecords(sink, [{ timeMs: START, workload: `n${100_000 + probe++}` }]);
      return seen().size > 0;
    };
    await waitUntil("the first line", probing, 20_000);
    for (let n = 0; n < 1_000; n += 1) await writeRecords(sink, [{ timeMs: START, workload: `n${n}` }]);
    const wanted = Array.from({ length: 1_000 }, (_, n) => `n${n}`);
    await waitUntil("all lines", () => wanted.every((each) => seen().has(each)), 20_000);
    const order = output.split("\n").flatMap((line) => /sa\/n(\d{1,3})"/.exec(line)?.[1] ?? []);
    expect(order.map(Number)).toEqual(wanted.map((_, n) => n));
    await sink.close();
    child.kill("SIGINT");
    await waitUntil("the end", () => child.exitCode !== null, 5_000);
    expect(child.exitCode).toBe(0);
  }, 90_000);
});

import {
  constants,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { gunzipSync, zstdDecompressSync } from "node:zlib";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { FileSinkOptions } from "../../src/audit/file-sink.ts";
import { PACKINGS } from "../../src/audit/packing.ts";
import { readSegmentFile } from "../../src/audit/read-segment-file.ts";
import { closedPath, closedSegments, trailFiles } from "../../src/audit/segment-names.ts";
import { filesWithin } from "../../src/audit/segment-range.ts";
import { type TrailReport, verifyTrail } from "../../src/audit/verify.ts";
import { openFile } from "./fixtures.ts";

const UNPACK = { gzip: gunzipSync, zstd: zstdDecompressSync } as const;
const HOUR = 3_600_000;
const DAY = 24 * HOUR;
const START = Date.parse("2026-11-01T00:00:00Z");

let directory = "";
let path = "";
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "sallyport-segments-"));
  path = join(directory, "audit.jsonl");
});
afterEach(() => rmSync(directory, { recursive: true, force: true }));

/** Runs a server's trail by a clock that is moved on: one line each step. */
async function runFor(from: number, steps: number, stepMs: number, changes: Partial<FileSinkOptions>): Promise<void> {
  let nowMs = from;
  const sink = await openFile(path, { now: () => nowMs, ...changes });
  for (let n = 0; n < steps; n += 1) {
    sink.write(JSON.stringify({ time: new Date(nowMs).toISOString(), id: "x" }));
    await sink.flush();
    nowMs += stepMs;
  }
  await sink.close();
}

async function verify(files?: readonly string[]): Promise<TrailReport> {
  const names = files ?? (await trailFiles(path)).map((each) => each.path);
  const readings = await Promise.all(
    names.map(async (name) => ({ name: basename(name), reading: await readSegmentFile(name) })),
  );
  return verifyTrail(readings.flatMap(({ name, reading }) => (reading === null ? [] : [{ name, reading }])));
}

const segments = async () => (await closedSegments(path)).map(({ segment }) => segment);

/** The flags with which this process has a file open. */
function openFlags(file: string): readonly number[] {
  const mine = "/proc/self/fd";
  const handles = readdirSync(mine).filter((fd) => {
    try {
      return readlinkSync(join(mine, fd)) === file;
    } catch {
      // The directory itself was open while it was read.
      return false;
    }
  });
  return handles.map((fd) =>
    Number.parseInt(/^flags:\s*(\d+)$/m.exec(readFileSync(`/proc/self/fdinfo/${fd}`, "utf8"))?.[1] ?? "", 8),
  );
}

describe.skipIf(process.platform !== "linux")("the open file of a trail", () => {
  it.each(["begun", "gone on with"])("is durable when a write is over, where it was %s", async (how) => {
    if (how === "gone on with") await runFor(START, 1, HOUR, {});
    const sink = await openFile(path);
    sink.write("{}");
    await sink.flush();
    const writable = openFlags(path).filter((flags) => (flags & 3) === constants.O_WRONLY);
    expect(writable.map((flags) => flags & constants.O_DSYNC)).toEqual([constants.O_DSYNC]);
    await sink.close();
    expect(openFlags(path)).toEqual([]);
  });
});

describe("files of a trail", () => {
  it("are closed by age: thirty days by a clock of our own, hour by hour, make a file a day", async () => {
    await runFor(START, 30 * 24, HOUR, { maxAgeMs: DAY, maxFiles: 100 });
    expect(await segments()).toEqual(Array.from({ length: 29 }, (_, n) => n + 1));
    const report = await verify();
    expect([report.problems, report.records, report.segments]).toEqual([[], 720, [1, 30]]);
  });

  it("are closed by age over restarts of the server", async () => {
    await runFor(START, 20, HOUR, { maxAgeMs: DAY });
    await runFor(START + 20 * HOUR, 20, HOUR, { maxAgeMs: DAY });
    expect(await segments()).toEqual([1]);
    expect((await readSegmentFile(closedPath(path, 1)))?.records).toBe(24);
  });

  it.each(PACKINGS)("are compressed with %s, and stay provable and readable as before", async (packing) => {
    await runFor(START, 5 * 24, HOUR, { maxAgeMs: DAY, packing });
    const closed = await closedSegments(path);
    expect(closed.map((each) => each.packing)).toEqual([packing, packing, packing, packing]);
    expect(existsSync(closedPath(path, 1))).toBe(false);
    for (const each of closed) expect(statSync(each.path).mode & 0o777).toBe(0o600);
    const lines = UNPACK[packing](readFileSync(closedPath(path, 1, packing)))
      .toString()
      .split("\n");
    expect(JSON.parse(lines[0] ?? "")).toMatchObject({ event: "segment", segment: 1 });
    expect(await verify()).toMatchObject({ problems: [], records: 120 });
  });

  it.each(PACKINGS)(
    "are compressed with %s in pieces, and are one text again for whoever reads them",
    async (packing) => {
      const sink = await openFile(path, { maxBytes: 2 ** 30, maxAgeMs: DAY, now: () => nowMs, packing });
      let nowMs = START;
      for (let n = 0; n < 5_000; n += 1) sink.write(JSON.stringify({ id: `${n}`, filler: "x".repeat(700) }));
      await sink.flush();
      const plain = readFileSync(path);
      expect(plain.length).toBeGreaterThan(3 * 1024 * 1024);
      nowMs += DAY;
      sink.write("{}");
      await sink.close();
      const text = UNPACK[packing](readFileSync(closedPath(path, 1, packing)));
      expect([text.length, plain.equals(text)]).toEqual([plain.length, true]);
      expect(await verify()).toMatchObject({ problems: [], records: 5_001 });
    },
  );

  it("of either kind of compression, and of none, make one trail", async () => {
    await runFor(START, 3 * 24, HOUR, { maxAgeMs: DAY, packing: "gzip" });
    await runFor(START + 3 * DAY, 2 * 24, HOUR, { maxAgeMs: DAY, packing: "zstd" });
    await runFor(START + 5 * DAY, 2 * 24, HOUR, { maxAgeMs: DAY });
    const packings = (await closedSegments(path)).map(({ packing }) => packing);
    expect(packings).toEqual(["gzip", "gzip", "zstd", "zstd", null, null]);
    expect(await verify()).toMatchObject({ problems: [], records: 168 });
    await runFor(START + 7 * DAY, 24, HOUR, { maxAgeMs: DAY, maxFiles: 2 });
    expect(await segments()).toHaveLength(2);
  });

  it.each(PACKINGS)("that are compressed with %s and altered are found, whatever the byte", async (packing) => {
    await runFor(START, 3 * 24, HOUR, { maxAgeMs: DAY, packing });
    const file = closedPath(path, 2, packing);
    const whole = readFileSync(file);
    const plain = UNPACK[packing](whole).toString();
    for (let at = 0; at < whole.length; at += 1) {
      const copy = Buffer.from(whole);
      copy[at] = (copy[at] ?? 0) ^ 0x41;
      writeFileSync(file, copy);
      const { problems } = await verify();
      // Bytes of the format's own header, such as a time, change nothing of what was written.
      if (problems.length === 0) expect([at < 10, UNPACK[packing](copy).toString()]).toEqual([true, plain]);
    }
    writeFileSync(file, whole.subarray(0, whole.length - 9));
    expect((await verify()).problems.length).toBeGreaterThan(0);
  });

  it("are deleted by number and by age, which the trail says first", async () => {
    await runFor(START, 20 * 24, HOUR, { maxAgeMs: DAY, maxFiles: 5 });
    expect(await segments()).toEqual([15, 16, 17, 18, 19]);
    expect(await verify()).toMatchObject({ problems: [], segments: [15, 20] });
    await runFor(START + 20 * DAY, 24, HOUR, { maxAgeMs: DAY, maxFiles: 5, keepMs: 2 * DAY });
    expect(await segments()).toEqual([19, 20]);
    expect((await verify()).problems).toEqual([]);
    rmSync(closedPath(path, 19));
    expect((await verify()).problems).toMatchObject([
      { line: 1, problem: expect.stringContaining("19 is missing, and the trail does not say that they were deleted") },
    ]);
  });

  it("are deleted by age also where nothing is closed any more", async () => {
    await runFor(START, 3, DAY, { maxAgeMs: DAY, keepMs: 10 * DAY });
    expect(await segments()).toEqual([1, 2]);
    await runFor(START + 30 * DAY, 2, HOUR, { keepMs: 10 * DAY });
    expect(await segments()).toEqual([]);
    expect(await verify()).toMatchObject({ problems: [], segments: [3, 3] });
  });

  it("survive a crash in the middle of compressing", async () => {
    await runFor(START, 3 * 24, HOUR, { maxAgeMs: DAY });
    writeFileSync(`${closedPath(path, 1, "zstd")}.tmp`, "half");
    await runFor(START + 3 * DAY, 24, HOUR, { maxAgeMs: DAY, packing: "zstd" });
    expect((await closedSegments(path)).map(({ packing }) => packing)).toEqual(["zstd", "zstd", "zstd"]);
    expect(await verify()).toMatchObject({ problems: [], records: 96 });
  });

  it("never replace one another, whatever is left lying about", async () => {
    await runFor(START, 3, DAY, { maxAgeMs: DAY });
    const kept = readFileSync(closedPath(path, 2), "utf8");
    // As after a crash between making a file and writing its first line.
    rmSync(path);
    writeFileSync(path, "");
    await runFor(START + 3 * DAY, 2, DAY, { maxAgeMs: DAY });
    expect(readFileSync(closedPath(path, 2), "utf8")).toBe(kept);
  });

  it("are chosen by time: those that cannot hold lines of it are not read", async () => {
    await runFor(START, 5 * 24, HOUR, { maxAgeMs: DAY, packing: "zstd" });
    const names = async (from: number | null, to: number | null) =>
      (await filesWithin(path, from, to)).map((name) => basename(name));
    expect(await names(START + 3 * DAY, null)).toEqual(["audit.jsonl.000004.zst", "audit.jsonl"]);
    expect(await names(null, START + DAY - 1)).toEqual(["audit.jsonl.000001.zst"]);
    expect(await names(START + DAY, START + DAY)).toEqual(["audit.jsonl.000002.zst"]);
    expect(await names(null, null)).toHaveLength(5);
  });
});

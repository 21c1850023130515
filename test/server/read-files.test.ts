import { type BigIntStats, mkdtempSync, rmSync, statSync, utimesSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { createReadFiles } from "../../src/server/read-files.ts";

let place = "";
let nowMs = 0;
let reads = 0;
let known = createReadFiles();

beforeEach(() => {
  place = join(mkdtempSync(join(tmpdir(), "sallyport-files-")), "a.yaml");
  writeFileSync(place, "one");
  // As if the file had been written an hour ago: nobody can set when it changed.
  nowMs = Date.now() + 3_600_000;
  reads = 0;
  known = createReadFiles(() => nowMs);
});
afterEach(() => rmSync(join(place, ".."), { recursive: true, force: true }));

async function look(text: string, stats: BigIntStats = statSync(place, { bigint: true })): Promise<string> {
  const bytes = await known.bytes(place, stats, async () => {
    reads += 1;
    return Buffer.from(text);
  });
  known.sweep();
  return Buffer.from(bytes).toString();
}

test("what is as it was is not read again", async () => {
  expect([await look("one"), await look("two"), await look("three")]).toEqual(["one", "one", "one"]);
  expect(reads).toBe(1);
});

test("a change that keeps size and time of modification is seen", async () => {
  const { atime, mtime } = statSync(place);
  await look("one");
  writeFileSync(place, "two");
  utimesSync(place, atime, mtime);
  expect(await look("two")).toBe("two");
});

test("another file in its place is seen, and what was forgotten is read", async () => {
  const stats = statSync(place, { bigint: true });
  await look("one");
  expect(await look("two", Object.assign(Object.create(stats), stats, { ino: stats.ino + 1n }))).toBe("two");
  known.sweep();
  expect(await look("three")).toBe("three");
});

test("a file that changed a moment ago is read again", async () => {
  nowMs = Date.now() + 1_000;
  expect([await look("one"), await look("two")]).toEqual(["one", "two"]);
});

test("a file is read once a minute, and when the clock goes back", async () => {
  await look("one");
  nowMs += 59_999;
  expect(await look("two")).toBe("one");
  nowMs += 1;
  expect(await look("two")).toBe("two");
  nowMs -= 600_000;
  expect(await look("three")).toBe("three");
});

import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { PassThrough, Writable } from "node:stream";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { createBatchSink } from "../../src/audit/batch.ts";
import type { FileSinkOptions } from "../../src/audit/file-sink.ts";
import { trailFiles } from "../../src/audit/segment-names.ts";
import { createNoSink } from "../../src/audit/sink.ts";
import { createStdoutSink } from "../../src/audit/stdout-sink.ts";
import { DECIDED, HOOKS, openFile, requestPart, trailOver } from "./fixtures.ts";

let directory = "";
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "sallyport-audit-"));
});
afterEach(() => rmSync(directory, { recursive: true, force: true }));

const open = (changes: Partial<FileSinkOptions> = {}) =>
  openFile(join(directory, "audit.jsonl"), { maxFiles: 3, ...changes });
const lines = (file: string) =>
  readFileSync(join(directory, file), "utf8")
    .split("\n")
    .filter((each) => each !== "" && !each.startsWith('{"event":'));

describe("the file sink", () => {
  test("appends in order to a file that nobody else can read", async () => {
    const sink = await open();
    for (let n = 0; n < 2000; n += 1) sink.write(`{"n":${n}}`);
    await sink.close();
    expect(lines("audit.jsonl")).toEqual(Array.from({ length: 2000 }, (_, n) => `{"n":${n}}`));
    expect(sink.state).toEqual({ taken: 2000, written: 2000, failed: 0, tooSlow: 0, pending: 0, failure: null });
    const fresh = await open({ path: join(directory, "new.jsonl") });
    fresh.write("{}");
    await fresh.close();
    expect(statSync(join(directory, "new.jsonl")).mode & 0o777).toBe(0o600);
  });

  test("rotates by size, keeps so many, splits no line", async () => {
    const sink = await open({ maxBytes: 1000 });
    for (let n = 0; n < 60; n += 1) {
      sink.write(JSON.stringify({ n, pad: "x".repeat(80) }));
      await sink.flush();
    }
    await sink.close();
    const files = (await trailFiles(join(directory, "audit.jsonl"))).map(({ path }) => basename(path));
    const last = Number(files.at(-2)?.split(".").at(-1));
    const closed = [last - 2, last - 1, last].map((n) => `audit.jsonl.${String(n).padStart(6, "0")}`);
    expect(files).toEqual([...closed, "audit.jsonl"]);
    const kept = files.flatMap(lines);
    const numbers = kept.map((line) => JSON.parse(line).n);
    expect(numbers).toEqual(numbers.map((_, index) => 60 - numbers.length + index));
    for (const file of readdirSync(directory)) expect(statSync(join(directory, file)).size).toBeLessThanOrEqual(1000);
  });

  test("a directory that cannot be written is said at start", async () => {
    await expect(open({ path: join(directory, "missing", "a.jsonl") })).rejects.toThrow(/cannot be made/);
  });

  test("a full disk is counted and shown, throws nothing, and is forgotten when writing works again", async () => {
    const sink = await open({ path: "/dev/full" });
    sink.write("a");
    sink.write("b");
    await sink.flush();
    expect(sink.state).toMatchObject({ written: 0, failed: 2 });
    expect(sink.state.failure).toContain("ENOSPC");
    await sink.close();
  });
});

describe("batches", () => {
  test("one write at a time, in order, and a failure loses only its own lines", async () => {
    const taken: string[] = [];
    let under = 0;
    let broken = false;
    const sink = createBatchSink(
      {
        async append(bytes) {
          const text = bytes.toString();
          under += 1;
          expect(under).toBe(1);
          await new Promise((resolve) => setImmediate(resolve));
          under -= 1;
          if (broken) throw new Error("disk on fire");
          taken.push(text);
        },
        async close() {},
      },
      HOOKS,
    );
    sink.write("1");
    const first = sink.flush();
    sink.write("2");
    sink.write("3");
    await first;
    broken = true;
    sink.write("lost");
    await sink.flush();
    expect(sink.state).toEqual({ taken: 4, written: 3, failed: 1, tooSlow: 0, pending: 0, failure: "disk on fire" });
    broken = false;
    sink.write("4");
    await sink.flush();
    expect(taken.join("")).toBe(`1\n2\n3\n${HOOKS.gap(1, "disk on fire")}\n4\n`);
    expect(sink.state).toEqual({ taken: 5, written: 4, failed: 1, tooSlow: 0, pending: 0, failure: null });
  });

  test("a destination that never answers costs bounded memory: what does not fit is counted as lost", async () => {
    let release = () => {};
    const sink = createBatchSink(
      {
        append: () => new Promise((resolve) => (release = resolve)),
        async close() {},
      },
      HOOKS,
    );
    const line = "x".repeat(1024 * 1024);
    for (let n = 0; n < 40; n += 1) sink.write(line);
    expect(sink.state.failed).toBeGreaterThan(10);
    expect(sink.state.failure).toContain("slow");
    release();
  });
});

test("standard output gets whole lines, and a broken pipe is counted, not thrown", async () => {
  const stream = new PassThrough();
  const sink = createStdoutSink(HOOKS, null, stream);
  sink.write("a");
  sink.write("b");
  await sink.flush();
  expect(stream.read().toString()).toBe("a\nb\n");
  const broken = createStdoutSink(
    HOOKS,
    null,
    new Writable({
      write(_chunk, _encoding, done) {
        done(new Error("EPIPE"));
      },
    }),
  );
  broken.write("c");
  await broken.flush();
  expect(broken.state).toMatchObject({ written: 0, failed: 1, failure: "EPIPE" });
  await broken.close();
});

test("the trail numbers its lines and remembers the latest decisions, newest first", async () => {
  const trail = await trailOver("batch", { none: async () => createNoSink() }, { keep: 3 });
  expect(trail.recent()).toEqual([]);
  for (const id of ["a", "b"]) trail.decision(DECIDED, requestPart({ id }), () => undefined);
  expect(trail.recent().map((line) => JSON.parse(line).id)).toEqual(["b", "a"]);
  trail.event({ event: "policies-loaded", detail: {} });
  for (const id of ["c", "d"]) trail.decision(DECIDED, requestPart({ id }), () => undefined);
  expect(
    trail
      .recent()
      .map((line) => JSON.parse(line))
      .map(({ id, seq }) => [id, seq]),
  ).toEqual([
    ["d", 5],
    ["c", 4],
    ["b", 2],
  ]);
});

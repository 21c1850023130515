import { generateKeyPairSync, type KeyObject } from "node:crypto";
import {
  appendFileSync,
  existsSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import * as fc from "fast-check";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { FileSinkOptions } from "../../src/audit/file-sink.ts";
import { createSegmentReader } from "../../src/audit/read-segment.ts";
import { readSegmentFile } from "../../src/audit/read-segment-file.ts";
import { closedPath, trailFiles } from "../../src/audit/segment-names.ts";
import { createSealCheck, createSealSigner } from "../../src/audit/signature.ts";
import { type TrailReport, verifyTrail } from "../../src/audit/verify.ts";
import { runCli } from "../cli/run-cli.ts";
import { budgetFor } from "../property/budget.ts";
import { openFile } from "./fixtures.ts";

/** Alterations of one run. */
const ALTERATIONS = 100_000;

let directory = "";
let path = "";
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "sallyport-chain-"));
  path = join(directory, "audit.jsonl");
});
afterEach(() => rmSync(directory, { recursive: true, force: true }));

/** Writes so many records in batches of so many, as one run of a server. */
async function run(records: number, perBatch: number, changes: Partial<FileSinkOptions> = {}): Promise<void> {
  const sink = await openFile(path, changes);
  for (let n = 0; n < records; n += 1) {
    sink.write(JSON.stringify({ n, effect: "allow", pad: "x".repeat(20) }));
    if (n % perBatch === perBatch - 1) await sink.flush();
  }
  await sink.close();
}

async function verify(): Promise<TrailReport> {
  const files = [];
  for (const each of await trailFiles(path)) {
    const reading = await readSegmentFile(each.path);
    if (reading !== null) files.push({ name: basename(each.path), reading });
  }
  return verifyTrail(files);
}

describe("a trail", () => {
  it("is proven whole, through rotations and several runs of a server", async () => {
    await run(200, 7, { maxBytes: 3_000 });
    await run(50, 3, { maxBytes: 3_000 });
    const report = await verify();
    expect(report.problems).toEqual([]);
    const files = await trailFiles(path);
    expect(files.length).toBeGreaterThan(4);
    expect(report).toMatchObject({ unsealedLines: 0, tornBytes: 0 });
    const [first, last] = report.segments ?? [0, 0];
    expect(last - first + 1).toBe(files.length);
  });

  it("that a crash tore is repaired at the next start: whole lines are kept and sealed, the torn one goes, and the trail says so", async () => {
    await run(10, 5);
    appendFileSync(path, '{"n":10}\n{"n":11}\n{"n":1');
    expect(await verify()).toMatchObject({ problems: [], unsealedLines: 2, tornBytes: 6 });
    await run(2, 2);
    expect(await verify()).toMatchObject({ problems: [], unsealedLines: 0, tornBytes: 0 });
    const lines = readFileSync(path, "utf8").split("\n");
    expect(lines).toContain('{"n":11}');
    expect(lines).toContain('{"event":"repaired","unsealedLines":2,"tornBytes":6}');
    expect(statSync(path).mode & 0o777).toBe(0o600);
  });

  it("that was altered while no server ran is not sealed over: it stays as it is, and a new file begins that does not join", async () => {
    await run(10, 5);
    writeFileSync(path, readFileSync(path, "utf8").replace('"n":7', '"n":8'));
    await run(4, 2);
    expect(existsSync(closedPath(path, 1))).toBe(true);
    expect((await verify()).problems.map(({ file }) => file)).toContain("audit.jsonl.000001");
  });

  it("goes on beside a file that is none of ours", async () => {
    writeFileSync(path, '{"some":"log"}\n');
    await run(4, 2);
    expect(readFileSync(closedPath(path, 1), "utf8")).toBe('{"some":"log"}\n');
    expect(await readSegmentFile(path)).toMatchObject({ broken: null, records: 4 });
  });
});

describe("every alteration of what is sealed is found", () => {
  it(
    "flips, removals, insertions, moves and cuts of bytes and lines",
    async () => {
      await run(60, 4);
      const whole = readFileSync(path);
      const lines = whole.toString("latin1").split("\n").slice(0, -1);
      const read = (bytes: Buffer) => {
        const reader = createSegmentReader();
        reader.push(bytes);
        return reader.end();
      };
      const right = read(whole);
      expect([right.broken, right.records, right.sealedBytes]).toEqual([null, 60, whole.length]);
      const found = (bytes: Buffer): boolean => {
        const { broken, hash, sealedBytes } = read(bytes);
        // Cut at a seal, a file is right by itself: the seal that it ends with is another.
        return broken !== null || hash !== right.hash || sealedBytes !== bytes.length;
      };
      const at = fc.integer({ min: 0, max: whole.length - 1 });
      const line = fc.integer({ min: 0, max: lines.length - 1 });
      const text = (changed: readonly string[]) => Buffer.from(`${changed.join("\n")}\n`, "latin1");
      const alteration = fc.oneof(
        fc.tuple(at, fc.integer({ min: 1, max: 255 })).map(([i, mask]) => {
          const copy = Buffer.from(whole);
          copy[i] = (copy[i] ?? 0) ^ mask;
          return copy;
        }),
        fc
          .tuple(at, fc.integer({ min: 1, max: 300 }))
          .map(([i, n]) => Buffer.concat([whole.subarray(0, i), whole.subarray(i + n)])),
        fc
          .tuple(at, fc.uint8Array({ minLength: 1, maxLength: 40 }))
          .map(([i, more]) => Buffer.concat([whole.subarray(0, i), more, whole.subarray(i)])),
        line.map((i) => text(lines.toSpliced(i, 1))),
        fc.tuple(line, line).map(([from, to]) => text(lines.toSpliced(from, 1).toSpliced(to, 0, lines[from] ?? ""))),
        fc.tuple(line, line).map(([from, to]) => text(lines.toSpliced(to, 0, lines[from] ?? ""))),
      );
      const { parameters } = budgetFor(ALTERATIONS);
      let tried = 0;
      fc.assert(
        fc.property(alteration, (bytes) => {
          fc.pre(!bytes.equals(whole));
          tried += 1;
          expect(found(bytes)).toBe(true);
        }),
        parameters,
      );
      process.stdout.write(`${tried} alterations, all found\n`);
      if (parameters.interruptAfterTimeLimit === undefined) expect(tried).toBe(ALTERATIONS);
    },
    60_000 + ALTERATIONS * 20,
  );

  it("a file that was removed, swapped, cut at a seal or taken from another trail", async () => {
    await run(200, 7, { maxBytes: 3_000 });
    const names = [2, 3].map((segment) => closedPath(path, segment));
    const [older = "", newer = ""] = names;
    const kept = names.map((name) => readFileSync(name));
    rmSync(newer);
    expect((await verify()).problems).toMatchObject([
      { line: 1, problem: expect.stringContaining("a file is missing") },
    ]);
    writeFileSync(newer, kept[0] ?? "");
    writeFileSync(older, kept[1] ?? "");
    expect((await verify()).problems.length).toBeGreaterThan(0);
    writeFileSync(older, kept[0] ?? "");
    writeFileSync(newer, kept[1] ?? "");
    expect((await verify()).problems).toEqual([]);
    const seals = [...(kept[0] ?? Buffer.alloc(0)).toString("latin1").matchAll(/\{"event":"seal".*\n/g)];
    const cut = seals.at(-2);
    truncateSync(older, (cut?.index ?? 0) + (cut?.[0].length ?? 0));
    expect((await verify()).problems).toMatchObject([
      { file: "audit.jsonl.000003", problem: expect.stringContaining("was cut or changed") },
    ]);
  });
});

describe("a signed trail", () => {
  const pem = (key: KeyObject) =>
    key.export({ format: "pem", type: key.type === "private" ? "pkcs8" : "spki" }).toString();
  const own = generateKeyPairSync("ed25519");
  const other = generateKeyPairSync("ed25519");
  const signer = createSealSigner(pem(own.privateKey));

  it("is proven with the public key; written anew by somebody else, or without a key, it is not", async () => {
    const brokenBy = async (key: KeyObject) => (await readSegmentFile(path, createSealCheck(pem(key))))?.broken ?? null;
    await run(20, 5, { signer });
    expect(await brokenBy(own.publicKey)).toBe(null);
    expect(await brokenBy(other.publicKey)).toMatchObject({ problem: "the seal is signed by another key" });
    rmSync(path);
    await run(20, 5, { signer: createSealSigner(pem(other.privateKey)) });
    expect(await brokenBy(own.publicKey)).toMatchObject({ problem: "the seal is signed by another key" });
    rmSync(path);
    await run(20, 5);
    expect(await brokenBy(own.publicKey)).toMatchObject({ problem: "the seal is not signed" });
  });

  it("on the command line, with the key that openssl would write", async () => {
    const key = join(directory, "audit.pub");
    writeFileSync(key, pem(own.publicKey));
    await run(20, 5, { signer });
    const good = await runCli(["audit", "verify", path, "--public-key", key]);
    expect([good.code, good.stderr]).toEqual([0, ""]);
    expect(good.stdout).toMatch(/^as it was written, and signed: 20 records/);
    writeFileSync(key, pem(other.publicKey));
    expect((await runCli(["audit", "verify", path, "--public-key", key])).code).toBe(1);
    const rsa = generateKeyPairSync("rsa", { modulusLength: 2048 });
    writeFileSync(key, pem(rsa.publicKey));
    const wrong = await runCli(["audit", "verify", path, "--public-key", key]);
    expect(wrong.code).toBe(1);
    expect(wrong.stderr).toContain("it is a key of type rsa, not ed25519");
  });
});

describe("sallyport audit verify", () => {
  it("says that a trail is whole, or where it is not", async () => {
    await run(30, 7, { maxBytes: 1_500 });
    const good = await runCli(["audit", "verify", path]);
    expect([good.code, good.stderr]).toEqual([0, ""]);
    expect(good.stdout).toMatch(/^as it was written: 30 records in \d files, 1 to \d of trail [0-9a-f-]{36}\n$/);
    writeFileSync(path, readFileSync(path, "utf8").replace('"allow"', '"deny" '));
    const bad = await runCli(["audit", "verify", path, "--output", "json"]);
    expect(bad.code).toBe(1);
    expect(JSON.parse(bad.stdout)).toMatchObject({
      schema: "sallyport.dev/audit-verify/v1",
      problems: [{ file: "audit.jsonl", line: 1 }],
    });
    const none = await runCli(["audit", "verify", join(directory, "missing")]);
    expect([none.code, none.stdout]).toEqual([1, ""]);
  });
});

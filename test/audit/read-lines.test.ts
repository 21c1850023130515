import { appendFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { describe, expect, it } from "vitest";
import { readLines } from "../../src/audit/read-lines.ts";
import { temporaryDirectory } from "../cli/policy-dir.ts";
import { recordOf } from "./records.ts";

const GOOD = recordOf({ timeMs: 0 });
const EVENT = '{"event":"seal","segment":1}';

/** What a reader makes of each line: an event's name, a decision's reason, or null. */
async function readAll(files: readonly string[]): Promise<(string | null)[]> {
  const told: (string | null)[] = [];
  await readLines(files, (line) => told.push(line === null ? null : "event" in line ? line.event : line.reason));
  return told;
}

describe("the lines of a trail", () => {
  it("come in order over files, compressed or not, without a torn end", async () => {
    const dir = await temporaryDirectory({ "audit.jsonl": `${EVENT}\n${GOOD}\n` });
    await writeFile(join(dir, "old.gz"), gzipSync(`${GOOD}\n${GOOD}\n`));
    const open = join(dir, "audit.jsonl");
    await appendFile(open, GOOD.slice(0, 60));
    const allowed = "allowed-by-rule";
    expect(await readAll([join(dir, "old.gz"), open])).toEqual([allowed, allowed, "seal", allowed]);
  });

  it("are null where they are neither decision nor event, whatever else they are", async () => {
    const record = JSON.parse(GOOD);
    const bad = [
      "",
      "null",
      "7",
      "{",
      "{}",
      '{"event":7}',
      ...Object.entries({
        time: 1,
        revision: 3,
        subject: null,
        target: { ...record.target, protocol: "udp" },
        reason: null,
        effect: "maybe",
        shadow: "",
        rules: [1],
        shadowRules: "none",
        headers: { "x-team": 1 },
      }).map(([key, value]) => JSON.stringify({ ...record, [key]: value })),
    ];
    const dir = await temporaryDirectory({ lines: `${bad.join("\n")}\n${GOOD}\n` });
    expect(await readAll([join(dir, "lines")])).toEqual([...bad.map(() => null), "allowed-by-rule"]);
  });
});

import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { BATCH_WINDOW } from "../../src/audit/batch.ts";
import { readSegmentFile } from "../../src/audit/read-segment-file.ts";
import { connectClient, httpCheck, told } from "../server/harness.ts";
import { type Serving, startServing } from "../support/serve.ts";

/** Kills of a default run, half in each mode; `CRASH_KILLS` asks for more. */
const KILLS = Number(process.env.CRASH_KILLS ?? 50);
const IN_FLIGHT = 48;
/** Bounds of the time under load before a kill. */
const LOAD_MS = { least: 60, most: 300 };

let directory = "";
beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), "sallyport-crash-"));
});
afterAll(() => rmSync(directory, { recursive: true, force: true }));

/** Asks without pause until the server is killed under it; the ids of the decisions that it was told. */
async function askUntilKilled({ child, address }: Serving): Promise<readonly string[]> {
  const client = connectClient(address);
  const acknowledged: string[] = [];
  let killed = false;
  const ask = async (who: number): Promise<void> => {
    for (let n = 0; !killed; n += 1) {
      const answer = await client.check(httpCheck({ path: `/v1/charges/${who}-${n}` })).catch(() => null);
      if (answer === null) return;
      acknowledged.push(told(answer).decision_id ?? "");
    }
  };
  const asking = Array.from({ length: IN_FLIGHT }, (_, who) => ask(who));
  await sleep(LOAD_MS.least + Math.random() * (LOAD_MS.most - LOAD_MS.least));
  await child.stop("SIGKILL");
  killed = true;
  client.close();
  await Promise.all(asking);
  return acknowledged;
}

/** Ids in the trail, whole lines only: a crash may tear the last one. */
function recorded(file: string): ReadonlySet<string> {
  const lines = existsSync(file) ? readFileSync(file, "utf8").split("\n").slice(0, -1) : [];
  return new Set(lines.map((line) => JSON.parse(line).id as string));
}

describe(`a server that is killed under load, ${KILLS} times`, () => {
  it.each([
    ["strict", 0],
    ["batch", BATCH_WINDOW],
  ] as const)(
    "%s: at most %i decisions that somebody was told are not on record",
    async (mode, most) => {
      let all = 0;
      let worst = 0;
      for (let kill = 0; kill < KILLS / 2; kill += 1) {
        const file = join(directory, `${mode}-${kill}.jsonl`);
        const acknowledged = await askUntilKilled(await startServing({ "audit-to": file, "audit-mode": mode }));
        const known = recorded(file);
        const missing = acknowledged.filter((id) => !known.has(id)).length;
        expect(missing, `kill ${kill}`).toBeLessThanOrEqual(most);
        expect((await readSegmentFile(file))?.broken ?? null).toBe(null);
        all += acknowledged.length;
        worst = Math.max(worst, missing);
      }
      process.stdout.write(`${mode}: ${KILLS / 2} kills, ${all} decisions told, at most ${worst} missing after one\n`);
      expect(all).toBeGreaterThan(KILLS);
    },
    60_000 + KILLS * 4_000,
  );
});

import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { waitUntil } from "../../src/cli/demo/process.ts";
import {
  allows,
  coldQuestions,
  cost,
  load,
  POOL,
  RULES,
  type Served,
  SHIPPED_FLAGS,
  serveArgs,
  startServed,
  WARM,
} from "./checks.ts";
import { median } from "./median.ts";
import { writePolicyText } from "./policy-text.ts";
import { shapeOf, syntheticSet } from "./synthetic-set.ts";

/** CPU of the server process for each Check, medians of the rounds. */
export interface Cost {
  readonly microseconds: number;
  /** Against the bare handler of the same round: other users of the machine slow both down. */
  readonly ratio: number;
}

/** What each kind of server costs. */
export type ServerFigures = Readonly<Record<keyof Round, Cost>>;

/** CPU microseconds a Check. */
interface Round {
  readonly bare: number;
  /** The same handler with the flags that sallyport is shipped with. */
  readonly bareTuned: number;
  /** The cache holds every question. */
  readonly warm: number;
  /** The same sort of questions, of which the cache can hold hardly any: each is decided anew. */
  readonly cold: number;
  /** No question comes twice and nearly all are denied, each denial with a page of its own to render. */
  readonly strangers: number;
}

const WARM_UP = 20_000;
const CHECKS = 5_000;
const ROUNDS = 15;

/** Full server (audit file on, 10,000 rules) and bare handler over Unix sockets, rounds interleaved. */
export async function measureServer(): Promise<ServerFigures> {
  const directory = await mkdtemp(join(tmpdir(), "sallyport-bench-"));
  const policies = join(directory, "policies");
  await writePolicyText(syntheticSet(shapeOf(RULES)), policies);
  const bareMain = new URL("bare-server.ts", import.meta.url).pathname;
  const start = (name: string, args: readonly string[]): Served => startServed(directory, name, args);
  const serve = (name: string, cache: string): readonly string[] =>
    serveArgs(directory, name, policies, ["--audit-to", join(directory, `${name}.jsonl`), "--cache-max-size", cache]);
  const full = start("full", serve("full", "64MiB"));
  const small = start("small", serve("small", "64KiB"));
  // Of its own, so that its full cache and large heap are no part of what a warm server costs.
  const large = start("large", serve("large", "64MiB"));
  const bare = start("bare", [bareMain, `unix:${directory}/bare`]);
  const tuned = start("tuned", [...SHIPPED_FLAGS, bareMain, `unix:${directory}/tuned`]);
  const all = [full, small, large, bare, tuned];
  try {
    for (const { child, client } of all) await waitUntil("a server allowing", () => allows(client), 60_000, child);
    const warm = (i: number): Buffer => WARM[i % WARM.length] ?? Buffer.alloc(0);
    const questions = coldQuestions();
    const cold = (): Buffer => questions.next().value as Buffer;
    const pool = (i: number): Buffer => POOL[i % POOL.length] ?? Buffer.alloc(0);
    await load(bare.client, WARM_UP, warm);
    await load(tuned.client, WARM_UP, warm);
    await load(full.client, WARM_UP, warm);
    await load(large.client, WARM_UP, cold);
    await load(small.client, WARM_UP, pool);
    const rounds: Round[] = [];
    for (let i = 0; i < ROUNDS; i++) {
      rounds.push({
        bare: await cost(bare, warm, CHECKS),
        bareTuned: await cost(tuned, warm, CHECKS),
        warm: await cost(full, warm, CHECKS),
        cold: await cost(small, pool, CHECKS),
        strangers: await cost(large, cold, CHECKS),
      });
    }
    const of = (key: keyof Round): Cost => ({
      microseconds: median(rounds.map((round) => round[key])),
      ratio: median(rounds.map((round) => round[key] / round.bare)),
    });
    return {
      bare: of("bare"),
      bareTuned: of("bareTuned"),
      warm: of("warm"),
      cold: of("cold"),
      strangers: of("strangers"),
    };
  } finally {
    for (const { client } of all) client.close();
    await Promise.all(all.map(({ child }) => child.stop()));
    await rm(directory, { recursive: true, force: true });
  }
}

import { afterAll, beforeAll, expect, it } from "vitest";
import { waitUntil } from "../../src/cli/demo/process.ts";
import { askApart } from "../bench/overload/ask.ts";
import { type Serving, startServing } from "../support/serve.ts";

/** Some 1,000 outlive the first collection after a Check, and what few Checks share of all else; more than 3,000 when nothing is let go of. */
const MOST_BYTES_A_CHECK = 2_400;

let serving: Serving;
beforeAll(async () => {
  const probe = new URL("../support/tell-survivors.ts", import.meta.url);
  const env = { ...process.env, NODE_OPTIONS: `--max-semi-space-size=64 --import=${probe}` };
  serving = await startServing({ "audit-to": "none", "log-level": "silent" }, "/readyz", null, null, env);
}, 60_000);
afterAll(() => serving?.child.stop());

async function survivors(): Promise<number> {
  const { child } = serving;
  const told = (): readonly string[] => child.output().match(/outlived \d+/g) ?? [];
  const before = told().length;
  child.process.kill("SIGUSR2");
  await waitUntil("the heap's figure", async () => told().length > before, 20_000, child);
  return Number(told().at(-1)?.split(" ")[1]);
}

it("little of what a Check was made of outlives a collection of short-lived objects", async () => {
  const load = { connections: 1, "in-flight": 4, timeout: 30_000 };
  await askApart(serving.address, { ...load, seconds: 2 });
  await survivors();
  const { asked } = await askApart(serving.address, { ...load, seconds: 1 });
  const bytes = (await survivors()) / asked;
  process.stderr.write(`${bytes.toFixed(0)} bytes a Check outlive a collection, of ${asked} Checks\n`);
  expect(asked).toBeGreaterThan(100);
  expect(bytes).toBeLessThan(MOST_BYTES_A_CHECK);
}, 90_000);

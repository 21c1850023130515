import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Ajv } from "ajv";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { waitUntil } from "../../src/cli/demo/process.ts";
import { createFalseClock, type FalseClock, noFalseClock } from "../support/false-clock.ts";
import { type Serving, startServing } from "../support/serve.ts";
import { connectClient, httpCheck, told } from "./harness.ts";
import { allow, createPolicyDirectory, type PolicyDirectory, ROOT } from "./policy-directory.ts";

const SCHEMA = JSON.parse(readFileSync(new URL("../../docs/audit.schema.json", import.meta.url), "utf8"));
const validate = new Ajv({ strict: false, allowUnionTypes: true }).compile(SCHEMA);
const DAY = 86_400_000;
const SHOP = httpCheck({ principal: "spiffe://cluster.local/ns/shop/sa/app" });
const noClock = noFalseClock();
if (noClock !== null) process.stdout.write(`no clocks that jump: ${noClock}\n`);

interface Event {
  readonly event?: string;
  readonly rule?: string;
  readonly expires?: string;
}

describe.skipIf(noClock !== null)("a running server whose clock is set", () => {
  let directory = "";
  let policies: PolicyDirectory;
  let clock: FalseClock;
  let server: Serving;
  const ends = new Date(Math.floor(Date.now() / 1000) * 1000 + 30 * DAY).toISOString();
  const exception = (lines: string) => allow("shop", "app", "stripe").replace("    from:", `    ${lines}\n    from:`);
  const trial = exception(`expires: ${ends}\n    ticket: SEC-7\n    reason: a trial`);

  function events(): Event[] {
    const lines = readFileSync(join(directory, "audit.jsonl"), "utf8").split("\n").slice(0, -1);
    const all: Event[] = lines.map((line) => JSON.parse(line));
    for (const each of all) expect(validate(each), JSON.stringify(validate.errors)).toBe(true);
    return all.filter(({ event }) => event?.startsWith("exception-") === true);
  }
  const until = (count: number) => waitUntil(`${count} events`, () => events().length >= count, 20_000, server.child);
  const standing = async () => {
    const states = ["expired", "soon", "later"].map((state) => server.metric(`sallyport_exceptions{state="${state}"}`));
    return (await Promise.all(states)).join(" ");
  };

  beforeEach(async () => {
    directory = mkdtempSync(join(tmpdir(), "sallyport-exceptions-"));
    policies = createPolicyDirectory({ "root.yaml": ROOT, "shop/shop.yaml": trial });
    clock = createFalseClock();
    const file = join(directory, "audit.jsonl");
    // One file, although weeks go by.
    const flags = { "audit-to": file, "audit-max-age": "never", "exceptions-lead": "7d", "log-level": "silent" };
    server = await startServing({ ...flags, policies: policies.path }, "/readyz", null, null, clock.env);
  }, 60_000);
  afterEach(async () => {
    await server?.child.stop();
    clock?.remove();
    policies?.remove();
    rmSync(directory, { recursive: true, force: true });
  });

  it("tells that an exception is about to end and that it has, once each, and decides by its end", async () => {
    const client = connectClient(server.address);
    try {
      expect(told(await client.check(SHOP))).toMatchObject({ effect: "allow" });
      expect(events()).toEqual([]);
      expect(await standing()).toBe("0 0 1");
      const left = await server.metric("sallyport_exception_next_end_seconds");
      expect(Math.abs(left - (30 * DAY) / 1000)).toBeLessThan(120);

      clock.shift(24 * DAY);
      await until(1);
      const rule = { rule: "shop/stripe/use", effect: "allow", mode: "enforce", expires: ends };
      const who = { owner: "shop-team@example.com", ticket: "SEC-7", reason: "a trial" };
      expect(events()).toMatchObject([{ event: "exception-ending", ...rule, ...who }]);
      expect(await standing()).toBe("0 1 0");
      expect(told(await client.check(SHOP))).toMatchObject({ effect: "allow" });

      // Another revision with the same exception is no news.
      const before = (await (await server.page("/readyz")).json()) as { readonly revision: string };
      policies.put("bank/bank.yaml", allow("bank", "app", "stripe"));
      const other = async () => (await (await server.page("/readyz")).text()).includes(before.revision) === false;
      await waitUntil("another revision", other, 20_000, server.child);

      clock.shift(31 * DAY);
      await until(2);
      expect(told(await client.check(SHOP))).toMatchObject({ effect: "deny", reason: "rule-expired" });
      expect(await standing()).toBe("1 0 0");
      expect(await server.metric("sallyport_exception_next_end_seconds")).toBe(-1);
    } finally {
      client.close();
    }
    // The clock is looked at each second.
    await new Promise((resolve) => setTimeout(resolve, 2_500));
    await server.child.stop();
    expect(events().map(({ event }) => event)).toEqual(["exception-ending", "exception-ended"]);
  }, 90_000);
});

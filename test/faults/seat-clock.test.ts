import { readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { requestHttp1 } from "../../src/cli/demo/client.ts";
import { type Lab, startLab } from "../../src/cli/demo/lab.ts";
import { createFalseClock, type FalseClock, noFalseClock } from "../support/false-clock.ts";
import { eventually, everyWorker } from "../support/gateway.ts";
import { decidedBy, untilSeated } from "../support/seat.ts";

const SHIPPED = new URL("../../policies", import.meta.url).pathname;
const HOUR_MS = 3_600_000;
const LEASE_MS = 5_000;
const noClock = noFalseClock();
if (noClock !== null) process.stdout.write(`no clocks that jump: ${noClock}\n`);

describe.skipIf(noClock !== null)("a clock that jumps by an hour", () => {
  let lab: Lab;
  let gatewayClock: FalseClock;
  let serverClock: FalseClock;
  let get: () => ReturnType<typeof requestHttp1>;
  const status = async () => (await get()).status;
  beforeAll(async () => {
    gatewayClock = createFalseClock();
    serverClock = createFalseClock();
    lab = await startLab({
      policies: SHIPPED,
      timeoutMs: 2_000,
      seat: "gateway",
      env: { envoy: gatewayClock.env, server: serverClock.env },
    });
    const caller = await lab.workload("payments/checkout");
    get = () => requestHttp1(caller, lab.port("http", 80), "GET /v1/charges", ["host: api.stripe.com"]);
    await untilSeated(lab, get);
  }, 60_000);
  afterAll(async () => {
    await lab?.close();
    gatewayClock?.remove();
    serverClock?.remove();
  });

  it.each([
    ["forwards", 1],
    ["back", -1],
  ])(
    "%s at the gateway: it goes on deciding, and its records say the time that it had",
    async (_, sign) => {
      const asked = (await decidedBy(lab, "server")).length;
      gatewayClock.shift(sign * HOUR_MS);
      for (let n = 0; n < 30; n += 1) expect(await status()).toBe(200);
      const near = async () =>
        (await decidedBy(lab, "gateway")).filter(
          ({ time }) => Math.abs(Date.parse(String(time)) - Date.now() - sign * HOUR_MS) < 60_000,
        ).length;
      expect(await eventually(near, (count) => count >= 30, 10_000)).toBeGreaterThanOrEqual(30);
      expect((await decidedBy(lab, "server")).length).toBe(asked);
      gatewayClock.shift(0);
    },
    60_000,
  );

  it("back at the server: a revocation after it is in force within a lease all the same", async () => {
    serverClock.shift(-HOUR_MS);
    const file = join(lab.policies, "payments/stripe.yaml");
    const text = await readFile(file, "utf8");
    await rm(file);
    expect(await everyWorker(status, 403, LEASE_MS + 2_500)).toBe(true);
    // By the gateway itself: it has taken the policies of a server whose clock went back.
    await untilSeated(lab, get);
    expect(await status()).toBe(403);
    await writeFile(file, text);
    expect(await everyWorker(status, 200, LEASE_MS + 2_500)).toBe(true);
    serverClock.shift(0);
  }, 90_000);

  it("back at the gateway while the server is gone: the lease is over after five seconds, not after an hour", async () => {
    await untilSeated(lab, get);
    gatewayClock.shift(-HOUR_MS);
    await lab.server.stop("SIGKILL");
    expect(await everyWorker(status, 503, LEASE_MS + 4_000)).toBe(true);
    gatewayClock.shift(0);
  }, 60_000);
});

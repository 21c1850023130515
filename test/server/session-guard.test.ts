import { EventEmitter } from "node:events";
import type { ServerHttp2Session } from "node:http2";
import type { Socket } from "node:net";
import { Readable } from "node:stream";
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { createSessionGuard, type SessionGuard } from "../../src/server/session-guard.ts";

const MIB = 1024 * 1024;
let nowMs = 0;
let ended = 0;
let guard: SessionGuard;
beforeEach(() => {
  vi.useFakeTimers();
  nowMs = 0;
  ended = 0;
  guard = createSessionGuard({ ended: () => (ended += 1), now: () => nowMs });
});
afterEach(() => {
  guard.close();
  vi.useRealTimers();
});

/** What the guard looks at of a socket. */
class FakeSocket extends EventEmitter {
  bytesRead = 0;
  destroyed = false;
  destroy(): void {
    this.destroyed = true;
  }
}

class FakeStream extends Readable {
  override _read(): void {}
}

function connection(caller = "gateway"): {
  readonly socket: FakeSocket;
  readonly session: EventEmitter;
  readonly isIn: () => boolean;
  /** A request of so many bytes, which is answered at once or never. */
  request(bytes: number, isAnswered?: boolean): void;
} {
  const socket = new FakeSocket();
  const session = Object.assign(new EventEmitter(), { destroy: () => session.emit("close") });
  let isIn = false;
  guard.admit(socket as unknown as Socket, caller, () => {
    isIn = true;
    guard.watch(session as unknown as ServerHttp2Session, socket as unknown as Socket);
  });
  return {
    socket,
    session,
    isIn: () => isIn,
    request(bytes, isAnswered = true) {
      const stream = new FakeStream();
      session.emit("stream", stream);
      socket.bytesRead += bytes + 300;
      stream.push(new Uint8Array(bytes));
      if (isAnswered) stream.emit("close");
    },
  };
}

function pass(ms: number): void {
  for (let left = ms; left > 0; left -= 50) {
    nowMs += Math.min(50, left);
    vi.advanceTimersByTime(Math.min(50, left));
  }
}

it("ends who says much and asks nothing, within a look", () => {
  const { socket } = connection();
  socket.bytesRead += 2 * MIB;
  pass(50);
  expect(socket.destroyed).toBe(true);
  expect(ended).toBe(1);
});

it("leaves alone who asks: ten thousand Checks a second, messages as large as they may be, a log without end", () => {
  const { socket, session, request } = connection();
  const log = new FakeStream();
  session.emit("stream", log);
  for (let second = 0; second < 5; second += 1) {
    for (let n = 0; n < 10_000; n += 1) request(1_500);
    for (let n = 0; n < 50; n += 1) request(256 * 1024);
    socket.bytesRead += 10 * MIB;
    (log.push as (chunk: Uint8Array) => boolean)(new Uint8Array(10 * MIB));
    pass(1_000);
  }
  expect(socket.destroyed).toBe(false);
});

it("leaves alone whose requests are refused while others are answered, and ends whose are not", () => {
  const busy = connection("busy");
  const deaf = connection("deaf");
  for (const each of [busy, deaf]) for (let n = 0; n < 1_000; n += 1) each.request(1_500, false);
  for (let n = 0; n < 40; n += 1) {
    busy.request(1_500);
    for (const each of [busy, deaf]) each.socket.bytesRead += MIB / 2;
    pass(50);
  }
  expect(busy.socket.destroyed).toBe(false);
  expect(deaf.socket.destroyed).toBe(true);
  for (let n = 0; n < 100; n += 1) guard.refused(busy.session as unknown as ServerHttp2Session);
  busy.socket.bytesRead += 6 * MIB;
  pass(50);
  expect(busy.socket.destroyed).toBe(false);
});

it("lets in those of an offender one at a time and ever further apart, and others at once", () => {
  const first = connection();
  first.socket.bytesRead += 2 * MIB;
  pass(50);
  const waits: number[] = [];
  for (let n = 0; n < 8; n += 1) {
    const next = connection();
    const begun = nowMs;
    while (!next.isIn() && nowMs - begun < 60_000) pass(50);
    waits.push(nowMs - begun);
    next.socket.bytesRead += 2 * MIB;
    pass(50);
  }
  expect(waits[0]).toBeLessThanOrEqual(300);
  expect(waits.at(-1)).toBeGreaterThan(8_000);
  expect(waits.at(-1)).toBeLessThan(11_000);
  expect(connection("another").isIn()).toBe(true);
  const crowd = Array.from({ length: 80 }, () => connection());
  expect(crowd.filter(({ socket }) => socket.destroyed)).toHaveLength(16);
  for (const { socket } of crowd) socket.destroy();
  pass(60_000);
  expect(connection().isIn()).toBe(true);
});

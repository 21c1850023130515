import type { ServerHttp2Session, ServerHttp2Stream } from "node:http2";
import type { Socket } from "node:net";
import { Readable } from "node:stream";

/**
 * Ends connections that say much and ask nothing. Whatever HTTP/2 lets a client send beside requests (WINDOW_UPDATE, headers of streams that it may not open) costs the one
 * thread that answers everybody, and Node counts little of it.
 */
export interface SessionGuard {
  /** Lets a connection in, at once or, when others of the same caller were ended lately, in its turn. */
  admit(socket: Socket, caller: string, letIn: () => void): void;
  /** Watches a session and the socket below it. */
  watch(session: ServerHttp2Session, socket: Socket): void;
  /** Counts a stream of a session that is watched; those that are emitted count anyway. */
  count(session: ServerHttp2Session, stream: ServerHttp2Stream): void;
  /** How many streams of a session that is watched are open. */
  openOn(session: ServerHttp2Session): number;
  /** A request of a session was refused before anybody counted it: the server has too much to do. */
  refused(session: ServerHttp2Session): void;
  close(): void;
}

export interface SessionGuardOptions {
  /** A connection was ended. */
  ended(): void;
  /** Milliseconds, from any beginning. */
  now?(): number;
}

/** Frame headers, header block, WINDOW_UPDATEs and the like that come with a request. */
const BYTES_A_STREAM = 4 * 1024;
/** And with one that was refused unread, whose message goes by unseen. */
const BYTES_A_REFUSAL = 64 * 1024;
/** Bytes that no request accounts for: so many at once, and so many a second. */
const BURST = 512 * 1024;
const RATE = 256 * 1024;
/** A client that has so many requests open finds new ones refused when the server is slow, which is no offence while some are answered. */
const BUSY_STREAMS = 16;
/** Nor is it one forever. */
const BUSY_RATE = 32 * 1024 * 1024;
const LOOK_MS = 50;
/** So long after an offence, connections of the same caller are let in one at a time, further apart with each that offends again, and only so many wait. */
const PENALTY_MS = 10_000;
const APART_MS = 250;
const MOST_APART_MS = 10_000;
const WAITING = 64;

interface Watched {
  readonly session: ServerHttp2Session;
  readonly socket: Socket;
  readonly caller: string;
  /** Bytes that requests account for. */
  accounted: number;
  open: number;
  /** Streams that ended since the last look. */
  done: number;
  /** At the last look. */
  unasked: number;
  level: number;
}

interface Penalty {
  untilMs: number;
  apartMs: number;
  nextMs: number;
  readonly waiting: { readonly socket: Socket; readonly letIn: () => void }[];
}

/** One guard for each listener. */
export function createSessionGuard({ ended, now = () => performance.now() }: SessionGuardOptions): SessionGuard {
  const watched = new Map<ServerHttp2Session, Watched>();
  const callers = new WeakMap<Socket, string>();
  const penalties = new Map<string, Penalty>();
  let lookedMs = now();

  function end({ session, socket, caller }: Watched): void {
    ended();
    session.destroy();
    socket.destroy();
    const nowMs = now();
    const known = penalties.get(caller);
    const penalty = known ?? { untilMs: 0, apartMs: APART_MS, nextMs: 0, waiting: [] };
    // Those that were open together are one offence.
    if (known !== undefined && nowMs >= known.nextMs - known.apartMs + LOOK_MS) {
      penalty.apartMs = Math.min(penalty.apartMs * 2, MOST_APART_MS);
    }
    penalty.nextMs = nowMs + penalty.apartMs;
    penalty.untilMs = penalty.nextMs + PENALTY_MS;
    penalties.set(caller, penalty);
  }

  function look(): void {
    const nowMs = now();
    // A turn of the loop that took long lets nobody say more.
    const seconds = Math.min(1, (nowMs - lookedMs) / 1_000);
    lookedMs = nowMs;
    for (const each of watched.values()) {
      const unasked = each.socket.bytesRead - each.accounted;
      const isBusy = each.open >= BUSY_STREAMS && each.done > 0;
      const rate = isBusy ? BUSY_RATE : RATE;
      each.level = Math.max(0, each.level + unasked - each.unasked - rate * seconds);
      each.unasked = unasked;
      each.done = 0;
      if (each.level > BURST) end(each);
    }
    for (const [caller, penalty] of penalties) turn(caller, penalty, nowMs);
  }

  /** Lets the next one in, and forgets who behaved. */
  function turn(caller: string, penalty: Penalty, nowMs: number): void {
    while (penalty.waiting[0]?.socket.destroyed) penalty.waiting.shift();
    if (nowMs >= penalty.nextMs) {
      const next = penalty.waiting.shift();
      if (next !== undefined) {
        penalty.nextMs = nowMs + penalty.apartMs;
        next.letIn();
      }
    }
    if (nowMs >= penalty.untilMs && penalty.waiting.length === 0) penalties.delete(caller);
  }

  const timer = setInterval(look, LOOK_MS);
  timer.unref();

  return {
    admit(socket, caller, letIn) {
      callers.set(socket, caller);
      const penalty = penalties.get(caller);
      if (penalty === undefined) letIn();
      else if (penalty.waiting.length < WAITING) penalty.waiting.push({ socket, letIn });
      else socket.destroy();
    },
    watch(session, socket) {
      const caller = callers.get(socket) ?? "";
      const each: Watched = { session, socket, caller, accounted: 0, open: 0, done: 0, unasked: 0, level: 0 };
      // A TLS handshake is over by now.
      each.unasked = socket.bytesRead;
      watched.set(session, each);
      session.on("close", () => watched.delete(session));
      session.on("stream", (stream: ServerHttp2Stream) => countStream(each, stream));
    },
    count(session, stream) {
      const each = watched.get(session);
      if (each !== undefined) countStream(each, stream);
    },
    openOn: (session) => watched.get(session)?.open ?? 0,
    refused(session) {
      const each = watched.get(session);
      if (each !== undefined) each.accounted += BYTES_A_REFUSAL;
    },
    close() {
      clearInterval(timer);
      for (const { waiting } of penalties.values()) for (const { socket } of waiting) socket.destroy();
    },
  };
}

/** Whose a stream is, until it is over. */
const ACCOUNT = Symbol("account");

interface Counted extends ServerHttp2Stream {
  [ACCOUNT]: Watched | null;
}

/** Functions that are assigned to properties are shared: one that is made for a stream would hold it, see `letGoOfStream`. */
function countStream(each: Watched, stream: ServerHttp2Stream): void {
  each.accounted += BYTES_A_STREAM;
  each.open += 1;
  stream.once("close", closed);
  // Node has no other way to tell how many bytes of a connection were of which stream.
  Object.assign(stream, { [ACCOUNT]: each, push: countedPush });
}

function closed(this: Counted): void {
  const each = this[ACCOUNT];
  if (each === null) return;
  each.open -= 1;
  each.done += 1;
  this[ACCOUNT] = null;
}

function countedPush(this: Counted, chunk: Uint8Array | null, encoding?: BufferEncoding): boolean {
  const each = this[ACCOUNT];
  if (chunk !== null && each !== null) each.accounted += chunk.length;
  return Readable.prototype.push.call(this, chunk, encoding);
}

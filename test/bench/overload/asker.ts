import { once } from "node:events";
import { connect } from "node:net";
import {
  CANCEL,
  createFrameReader,
  FIRST_WINDOW,
  FLAG,
  FRAME,
  frame,
  greeting,
  grpcMessage,
  headerBlocks,
  maxStreamsOf,
  numberFrame,
} from "./frames.ts";

/**
 * What became of a Check. `allowed` and `denied` = decided; `status` = refused with a gRPC status and no message; `refused` = its
 * stream was reset; `late` = no answer in time; `held` = never sent, since the server lets no more streams be open.
 */
export const OUTCOMES = ["allowed", "denied", "status", "refused", "late", "held"] as const;
export type Outcome = (typeof OUTCOMES)[number];

/** One connection that asks Checks, in the manner of Envoy: it minds streams and windows, and takes back what comes too late. */
export interface Asker {
  readonly open: number;
  /** Asks at the next `flush`. `done` is called once; `sinceMs` = when it was due, by `performance.now()`. */
  ask(message: Buffer, sinceMs: number, done: (outcome: Outcome, tookMs: number) => void): void;
  /** Takes back what is late and writes all that is to be sent. */
  flush(): void;
  close(): void;
}

interface Asked {
  readonly sinceMs: number;
  readonly done: (outcome: Outcome, tookMs: number) => void;
  /** Not sent yet, for want of a window. */
  body: Buffer | null;
  decided: Outcome | null;
}

/** `message` of an answer: does it allow? The status is the first field, `ok_response` may be the next. */
function allows(message: Buffer): boolean {
  return message[5] === 0x0a && message[7 + (message[6] ?? 0)] === 0x1a;
}

/** Connects to `unix:/path` or `HOST:PORT`. */
export async function connectAsker(address: string, path: string, timeoutMs: number): Promise<Asker> {
  const [host = "", port = ""] = address.split(":");
  const socket = address.startsWith("unix:") ? connect(address.slice(5)) : connect({ host, port: Number(port) });
  await once(socket, "connect");
  socket.setNoDelay(true);
  const blocks = headerBlocks(path, timeoutMs);
  const asked = new Map<number, Asked>();
  const waiting: number[] = [];
  let out: Buffer[] = [greeting()];
  let id = -1;
  let window = FIRST_WINDOW;
  let maxStreams = 100;
  let ended = false;

  function settle(stream: number, outcome: Outcome): void {
    const found = asked.get(stream);
    if (found === undefined) return;
    asked.delete(stream);
    found.done(outcome, performance.now() - found.sinceMs);
  }

  function sendBodies(): void {
    let sent = 0;
    for (const stream of waiting) {
      const found = asked.get(stream);
      if (found?.body != null) {
        if (found.body.length > window) break;
        window -= found.body.length;
        out.push(frame(FRAME.data, FLAG.endStream, stream, found.body));
        found.body = null;
      }
      sent += 1;
    }
    waiting.splice(0, sent);
  }

  const read = createFrameReader((type, flags, stream, payload) => {
    if (type === FRAME.data) {
      const found = asked.get(stream);
      if (found !== undefined) found.decided = allows(payload) ? "allowed" : "denied";
    } else if (type === FRAME.headers) {
      if ((flags & FLAG.endStream) !== 0) settle(stream, asked.get(stream)?.decided ?? "status");
    } else if (type === FRAME.reset) settle(stream, "refused");
    else if (type === FRAME.windowUpdate) {
      if (stream === 0) window += payload.readUInt32BE(0);
    } else if (type === FRAME.settings && (flags & FLAG.ack) === 0) {
      maxStreams = maxStreamsOf(payload) ?? maxStreams;
      out.push(frame(FRAME.settings, FLAG.ack, 0, Buffer.alloc(0)));
    } else if (type === FRAME.ping && (flags & FLAG.ack) === 0) out.push(frame(FRAME.ping, FLAG.ack, 0, payload));
    else if (type === FRAME.goaway) end();
  });

  function end(): void {
    ended = true;
    for (const stream of [...asked.keys()]) settle(stream, "refused");
  }

  socket.on("data", read);
  socket.on("error", end);
  socket.on("close", end);

  return {
    get open() {
      return asked.size;
    },
    ask(message, sinceMs, done) {
      if (ended || asked.size >= maxStreams) {
        done(ended ? "refused" : "held", 0);
        return;
      }
      const isFirst = id === -1;
      id += 2;
      asked.set(id, { sinceMs, done, body: grpcMessage(message), decided: null });
      out.push(frame(FRAME.headers, FLAG.endHeaders, id, isFirst ? blocks.first : blocks.later));
      waiting.push(id);
      sendBodies();
    },
    flush() {
      const now = performance.now();
      for (const [stream, { sinceMs }] of asked) {
        if (now - sinceMs < timeoutMs) break;
        out.push(numberFrame(FRAME.reset, stream, CANCEL));
        settle(stream, "late");
      }
      sendBodies();
      if (out.length > 0 && !ended) socket.write(Buffer.concat(out));
      out = [];
    },
    close() {
      socket.destroy();
    },
  };
}

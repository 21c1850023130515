/** What Node has no word for: sending an answer and its end in one piece. */
import type { OutgoingHttpHeaders, ServerHttp2Stream } from "node:http2";
import { Writable } from "node:stream";

/** Node's own object behind a stream, as far as it is asked here. */
interface StreamHandle {
  /** Trailers as one text, each name and value followed by a zero, then flags of which there are none; and how many. 0 or more when they are taken. */
  trailers(list: readonly [text: string, count: number]): number;
}

/**
 * For the stream of a unary call. Node tells that a message is written once it is on the socket, and sends trailers a turn of the loop after they are due, so
 * each answer would be two writes, and whoever asked would be woken twice. With this a message counts as written at once, the trailers go when they are due, and all of it is one write.
 */
export function answerWhole(stream: ServerHttp2Stream): void {
  if (handleOf(stream) === null) return;
  Object.assign(stream, { write, sendTrailers });
}

/** Writes the only message. Whether it gets through is told by what becomes of the stream. */
function write(this: ServerHttp2Stream, message: Uint8Array, written: () => void): boolean {
  const goesOn = (Writable.prototype.write as (chunk: Uint8Array) => boolean).call(this, message);
  written();
  // As the stream would do by itself once the message is written, and will do then, which is nothing any more.
  if (this.writableEnded && !this.destroyed) this._final(ignore);
  return goesOn;
}

/**
 * nghttp2, which asks for them, takes trailers while it does so (`nghttp2_submit_trailer`). Node keeps users from that, because what else they might do would not be safe there; here nothing else is done.
 */
function sendTrailers(this: ServerHttp2Stream, trailers: OutgoingHttpHeaders): void {
  let text = "";
  let count = 0;
  for (const name in trailers) {
    text += `${name}\0${trailers[name]}\0\0`;
    count += 1;
  }
  const taken = handleOf(this)?.trailers([text, count]) ?? -1;
  if (taken < 0) this.destroy(new Error(`the status could not be sent (${taken})`));
}

let symbol: symbol | undefined;

/** Null when this Node keeps it elsewhere, or the stream is over. */
function handleOf(stream: ServerHttp2Stream): StreamHandle | null {
  symbol ??= Object.getOwnPropertySymbols(stream).find(({ description }) => description === "kHandle");
  const handle: unknown = symbol === undefined ? null : Reflect.get(stream, symbol);
  return typeof handle === "object" && handle !== null && "trailers" in handle ? (handle as StreamHandle) : null;
}

function ignore(): void {}

/** What Node has no word for: sending an answer and its end in one piece. */
import type { OutgoingHttpHeaders, ServerHttp2Stream } from "node:http2";

/** Node's own object behind a stream, as far as it is asked here. */
interface StreamHandle {
  /** Trailers as one text, each name and value followed by a zero, then flags of which there are none; and how many. 0 or more when they are taken. */
  trailers(list: TrailerList): number;
}

type TrailerList = readonly [text: string, count: number];

/** Trailers that are sent again and again. */
export interface Trailers {
  readonly headers: OutgoingHttpHeaders;
  readonly list: TrailerList;
}

/** Prepares trailers. */
export function trailersOf(headers: Readonly<Record<string, string>>): Trailers {
  const pairs = Object.entries(headers);
  return { headers, list: [pairs.map(([name, value]) => `${name}\0${value}\0\0`).join(""), pairs.length] };
}

/**
 * Sends the only message of a unary call, after its headers. A stream that is written to tells when the message is on the socket, when the stream is over already: for that alone Node makes an
 * error each time, with its stack, at a fifth of what a Check costs. So the message goes past what keeps account of writes; whether it gets through is told by what becomes of the stream.
 */
export function sendWhole(stream: ServerHttp2Stream, message: Uint8Array): void {
  if (handleOf(stream) === null) {
    stream.end(message);
    return;
  }
  // Which Node calls the encoding of bytes.
  stream._write(message, "buffer" as BufferEncoding, ignore);
  stream.end();
}

/**
 * Sends trailers when they are asked for (`wantTrailers`). Node sends them a turn of the loop later, so each answer would be two writes, and whoever asked would be woken twice. nghttp2, which asks for them,
 * takes them while it does so (`nghttp2_submit_trailer`). Node keeps users from that, because what else they might do would not be safe there; here nothing else is done.
 */
export function sendTrailers(stream: ServerHttp2Stream, { headers, list }: Trailers): void {
  const handle = handleOf(stream);
  if (handle === null) {
    stream.sendTrailers(headers);
    return;
  }
  const taken = handle.trailers(list);
  if (taken < 0) stream.destroy(new Error(`the status could not be sent (${taken})`));
}

let symbol: symbol | undefined;

/** Null when this Node keeps it elsewhere, or the stream is over. */
function handleOf(stream: ServerHttp2Stream): StreamHandle | null {
  symbol ??= Object.getOwnPropertySymbols(stream).find(({ description }) => description === "kHandle");
  const handle: unknown = symbol === undefined ? null : Reflect.get(stream, symbol);
  return typeof handle === "object" && handle !== null && "trailers" in handle ? (handle as StreamHandle) : null;
}

function ignore(): void {}

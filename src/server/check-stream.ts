/** Calls of `Check` on their HTTP/2 streams, as every gRPC client makes them that compresses nothing. */
import type { IncomingHttpHeaders, ServerHttp2Stream } from "node:http2";
import { status as Code } from "@grpc/grpc-js";
import type { RequestMetadata } from "./check-request.ts";
import type { CheckHandler } from "./check-service.ts";
import { letGoOfStream } from "./closed-streams.ts";
import { sendTrailers, sendWhole, trailersOf } from "./whole-answers.ts";

/** Whose calls are answered, by whom, and up to which size. */
export interface CheckStreamOptions {
  readonly check: CheckHandler;
  /** As for `CheckHandler`. */
  readonly caller: string | null;
  readonly maxMessageBytes: number;
}

const HEAD = { ":status": 200, "content-type": "application/grpc+proto" } as const;
const WITH_STATUS = { waitForTrailers: true } as const;
const STATUS = trailersOf({ "grpc-status": "0" });
/** A byte that says whether the message is compressed, and four of its length. */
const PREFIX = 5;

/** Can a call be answered here? What is told apart is rare and goes through grpc-js. */
export function isPlainCall(headers: IncomingHttpHeaders): boolean {
  const type = headers["content-type"];
  return (
    headers[":method"] === "POST" &&
    headers["grpc-encoding"] === undefined &&
    (type === "application/grpc" || type === "application/grpc+proto")
  );
}

/**
 * Reads the one message of a plain call and answers it. grpc-js takes more than half of what a Check costs, for what unary calls without
 * compression, interceptors and deadlines (who sets one takes the Check back when it is over) have no use for.
 * @see gRPC over HTTP/2, "Requests" and "Responses"
 */
export function answerCheck(
  stream: ServerHttp2Stream,
  headers: IncomingHttpHeaders,
  options: CheckStreamOptions,
): void {
  const { check, caller, maxMessageBytes } = options;
  const chunks: Buffer[] = [];
  let size = 0;
  stream.on("error", ignore);
  stream.on("wantTrailers", sendStatus);
  stream.on("close", letGo);
  stream.on("data", (chunk: Buffer) => {
    size += chunk.length;
    if (size <= PREFIX + maxMessageBytes) chunks.push(chunk);
    else if (chunks.length > 0) {
      chunks.length = 0;
      refuse(stream, Code.RESOURCE_EXHAUSTED, `the message has more than ${maxMessageBytes} bytes`);
    }
  });
  stream.on("end", () => {
    const [first] = chunks;
    if (first === undefined) {
      if (size === 0) refuse(stream, Code.UNIMPLEMENTED, "a call of this method has a message");
      return;
    }
    const framed = chunks.length === 1 ? first : Buffer.concat(chunks, size);
    const wrong = wrongWith(framed);
    if (wrong !== null) {
      refuse(stream, Code.INTERNAL, wrong);
      return;
    }
    const metadata = metadataOf(headers);
    check({ request: framed.subarray(PREFIX), metadata }, caller, (_, answer) => {
      if (answer) send(stream, answer);
    });
  });
}

/** Null when it is one whole message that is not compressed. */
function wrongWith(framed: Buffer): string | null {
  if (framed.length < PREFIX) return "the message is cut off";
  if (framed[0] !== 0) return "the message is compressed, and no encoding was named";
  const end = PREFIX + framed.readUInt32BE(1);
  if (framed.length < end) return "the message is cut off";
  return framed.length > end ? "a call of this method has one message" : null;
}

function metadataOf(headers: IncomingHttpHeaders): RequestMetadata {
  return {
    get(key) {
      const value = headers[key];
      return value === undefined ? NOTHING : Array.isArray(value) ? value : [value];
    },
  };
}

const NOTHING: readonly string[] = [];

/** Sends the answer, unless the call was taken back meanwhile. */
function send(stream: ServerHttp2Stream, answer: Uint8Array): void {
  if (stream.destroyed || stream.closed) return;
  const framed = Buffer.allocUnsafe(PREFIX + answer.length);
  framed[0] = 0;
  framed.writeUInt32BE(answer.length, 1);
  framed.set(answer, PREFIX);
  stream.respond(HEAD, WITH_STATUS);
  sendWhole(stream, framed);
}

function sendStatus(this: ServerHttp2Stream): void {
  sendTrailers(this, STATUS);
}

function letGo(this: ServerHttp2Stream): void {
  letGoOfStream(this);
}

function refuse(stream: ServerHttp2Stream, code: Code, message: string): void {
  if (stream.destroyed || stream.closed) return;
  stream.respond({ ...HEAD, "grpc-status": code, "grpc-message": message }, { endStream: true });
}

function ignore(): void {}

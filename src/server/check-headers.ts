import type { IncomingHttpHeaders } from "node:http2";
import { METADATA } from "./check-request.ts";

/** What not every Check carries: an encoding of its message, and what is read of its metadata. */
const SELDOM = ["grpc-encoding", "traceparent", ...Object.values(METADATA)] as const;

/**
 * Of the headers that a Check came with (not those that it asks about), what grpc-js and the handler read. grpc-js makes metadata of each, with three tests of its name and value, and
 * nobody asks for the others. `grpc-timeout` would make a timer that is hardly ever due: who sets a time takes the Check back when it is over.
 */
export function checkHeaders(headers: IncomingHttpHeaders): IncomingHttpHeaders {
  const read: IncomingHttpHeaders = { ":path": headers[":path"], "content-type": headers["content-type"] };
  for (const name of SELDOM) {
    const value = headers[name];
    if (value !== undefined) read[name] = value;
  }
  return read;
}

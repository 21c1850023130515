/** What Node has no word for: letting go of what a stream is made of once it is over. */
import type { ServerHttp2Stream } from "node:http2";

/**
 * Every stream of Node's has a function (`onwrite`) that V8 puts among its long-lived objects as soon as it is made, because of how it is written, and that function
 * holds the stream. So whatever hangs on a stream outlives two collections of short-lived objects, and is copied in each, until a full collection finds that nobody
 * holds the function: a third of what outlives a Check. That holds for Node 24 and 26, where it is an arrow function
 * assigned to a property; in Node 22 it is a bound one. Nothing takes the function away, but what hangs on its stream can be cut off.
 * @see lib/internal/streams/writable.js of Node, `this.onwrite`
 */
export function letGoOfStream(stream: ServerHttp2Stream): void {
  // `removeAllListeners` would tell the stream's own listeners of each one.
  Object.assign(stream, { _events: { __proto__: null, error: ignore }, _eventsCount: 1 });
}

/** After the end of a stream nobody is left to be told of an error. */
function ignore(): void {}

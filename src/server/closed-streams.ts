/** What Node has no word for: letting go of what a stream is made of once it is over. */
import type { ServerHttp2Stream } from "node:http2";

/**
 * Every stream of Node's has a function (`onwrite`) that V8 puts among its long-lived objects as soon as it is made, because of how it is written, and that function
 * holds the stream. So whatever hangs on a stream outlives all collections of short-lived objects, and is copied in two, until a full collection finds that nobody
 * holds the function: a pause of a tenth of a second now and then, in which nobody is answered. That holds for Node 24 and 26, where it is an arrow function
 * assigned to a property; in Node 22 it is a bound one. Nothing takes the function away, but what hangs on its stream can be replaced: by what hangs on another
 * that is over, so that whoever still looks at it finds a stream that is over. For streams of which nobody wants to know how they ended.
 * @see lib/internal/streams/writable.js of Node, `this.onwrite`
 */
export function letGoOfStream(stream: ServerHttp2Stream): void {
  over ??= overOf(stream);
  for (const [key, value] of over) Reflect.set(stream, key, value);
}

type Hanging = readonly (readonly [key: string | symbol, value: unknown])[];

/** Of the first stream that was let go of: what is an object of its own. */
let over: Hanging | null = null;

function overOf(stream: ServerHttp2Stream): Hanging {
  const hanging = Reflect.ownKeys(stream).flatMap((key) => {
    const value: unknown = Reflect.get(stream, key);
    return typeof value === "object" && value !== null ? [[key, value] as const] : [];
  });
  // `removeAllListeners` would tell the stream's own listeners of each one.
  const events = { __proto__: null, error: ignore };
  return [...hanging.filter(([key]) => key !== "_events"), ["_events", events], ["_eventsCount", 1]];
}

/** After the end of a stream nobody is left to be told of an error. */
function ignore(): void {}

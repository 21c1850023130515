/** What grpc-js has no word for: refusing calls before it makes anything of them. */
import type { IncomingHttpHeaders, ServerHttp2Session, ServerHttp2Stream } from "node:http2";
import { status as Code, type Server } from "@grpc/grpc-js";

/**
 * Bytes that a client may send on a connection before they are read. With less, Checks beyond some sixty would wait in the client for a window, where nobody here
 * sees how long they have waited.
 */
const CONNECTION_WINDOW = 1024 * 1024;

const REFUSAL = {
  ":status": 200,
  "content-type": "application/grpc+proto",
  "grpc-status": Code.RESOURCE_EXHAUSTED,
  "grpc-message": "overloaded",
} as const;

/** What becomes of the calls of one method. */
export interface Shedding {
  /** Is this one taken on? */
  admit(session: ServerHttp2Session): boolean;
  /** Told of one that is, before grpc-js. True when it is answered, and grpc-js is to know nothing of it. */
  begin(session: ServerHttp2Session, stream: ServerHttp2Stream, headers: IncomingHttpHeaders): boolean;
}

/**
 * Asks `admit` for each call of one method; a call that it does not admit is refused. On a connection that has carried nothing else the stream is refused as a whole (REFUSED_STREAM,
 * which is UNAVAILABLE to gRPC clients): that costs a fifth of saying a status, which is more than a server has left that is asked three times what it can answer.
 * On others, where health and logs must stay, the status is RESOURCE_EXHAUSTED. Call it once the server can take connections.
 * @throws when grpc-js no longer keeps its HTTP/2 servers where they can be had
 */
export function shedStreams(server: Server, path: string, shedding: Shedding): void {
  const servers: unknown = Reflect.get(server, "http2Servers");
  if (!(servers instanceof Map)) throw new Error("grpc-js has no http2Servers");
  for (const each of servers.keys())
    each.on("session", (session: ServerHttp2Session) => guard(session, path, shedding));
}

function guard(session: ServerHttp2Session, path: string, { admit, begin }: Shedding): void {
  session.setLocalWindowSize(CONNECTION_WINDOW);
  /** Whether whatever comes next is taken for a call of the method. */
  let isSole = false;
  let isMixed = false;
  const isEarly = refuseEarly(session, () => isSole && !admit(session));
  const emit = session.emit;
  session.emit = (event: string | symbol, ...args: unknown[]): boolean => {
    if (event === "stream") {
      const [stream, headers] = args as [ServerHttp2Stream, IncomingHttpHeaders];
      if (headers[":path"] !== path) {
        isSole = false;
        isMixed = true;
      } else {
        if (!isSole) {
          isSole = isEarly && !isMixed;
          if (!admit(session)) {
            refuse(stream);
            return true;
          }
        }
        if (begin(session, stream, headers)) return true;
      }
    }
    return emit.call(session, event, ...args);
  };
}

function refuse(stream: ServerHttp2Stream): void {
  stream.on("error", ignore);
  // Its client may have taken it back meanwhile: to say anything to it would throw, and end the server.
  if (stream.destroyed || stream.closed) return;
  stream.respond(REFUSAL, { endStream: true });
  // What is still to come of it is thrown away.
  stream.resume();
}

function ignore(): void {}

/**
 * Has Node refuse a stream that `isRefused` refuses before it makes an object of it. Node does so on a session that is closed, about which it asks the session once it has found that a stream is new.
 * That happens between the two questions that are listened to here and nowhere else, so the session is never closed to anybody else. False when this Node does not do it that way.
 */
function refuseEarly(session: ServerHttp2Session, isRefused: () => boolean): boolean {
  const symbol = Object.getOwnPropertySymbols(session).find(({ description }) => description === "state");
  const { streams } = (symbol === undefined ? {} : Reflect.get(session, symbol)) as { streams?: Map<number, unknown> };
  if (typeof streams?.get !== "function") return false;
  const get = streams.get.bind(streams);
  const prototype = Object.getPrototypeOf(session);
  let isNew = false;
  Object.defineProperty(streams, "get", {
    value(id: number) {
      const found = get(id);
      isNew = found === undefined;
      return found;
    },
  });
  Object.defineProperty(session, "closed", {
    configurable: true,
    get() {
      const isAsked = isNew;
      isNew = false;
      return Reflect.get(prototype, "closed", session) || (isAsked && isRefused());
    },
  });
  return true;
}

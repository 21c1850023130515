/** What grpc-js has no word for, of the HTTP/2 sessions that it keeps. */
import { constants, type ServerHttp2Session } from "node:http2";
import type { Server } from "@grpc/grpc-js";

const LAST_STREAM = 2 ** 31 - 1;

/**
 * A gateway takes back the Checks of requests that its clients take back. Node ends a connection on which more than 33 a second are (after 1,000), with every Check of
 * every workload on it: one workload could so take authorization from all. More than a server can answer is no gateway's need.
 */
const RESETS = { streamResetBurst: 10_000, streamResetRate: 10_000 } as const;

/**
 * Node lets go of a stream only after a turn of its loop: a client that opens no more streams at once than it may can still find none free, when a turn is long. Each is refused then (ENHANCE_YOUR_CALM, which
 * is RESOURCE_EXHAUSTED to gRPC clients), but after a hundred in a row Node would end the connection with all that is under way on it.
 */
const REJECTED = { maxSessionRejectedStreams: 2 ** 31 - 1 } as const;

/** grpc-js has no options for it. @throws when it no longer keeps the options of its HTTP/2 sessions where they can be added to */
export function tolerateResets(server: Server): void {
  const sessions: unknown = Reflect.get(server, "commonServerOptions");
  if (typeof sessions !== "object" || sessions === null) throw new Error("grpc-js has no commonServerOptions");
  Object.assign(sessions, RESETS, REJECTED);
}

/**
 * Calls `opened` for each session. Call it once the server can take connections, before whoever replaces what a session does with its streams.
 * @throws when grpc-js no longer keeps its HTTP/2 servers where they can be had
 */
export function onSession(server: Server, opened: (session: ServerHttp2Session) => void): void {
  const servers: unknown = Reflect.get(server, "http2Servers");
  if (!(servers instanceof Map)) throw new Error("grpc-js has no http2Servers");
  for (const each of servers.keys()) each.on("session", opened);
}

/**
 * Tells every client to open no more calls on its connection, while those that are on their way are still taken: what is said at the end names the last call that was
 * taken, and whatever came after it would be lost. How many were told. @throws when grpc-js no longer keeps its sessions where they can be had
 */
export function sayGoodbye(server: Server): number {
  const servers: unknown = Reflect.get(server, "http2Servers");
  if (!(servers instanceof Map)) throw new Error("grpc-js has no http2Servers");
  let told = 0;
  for (const { sessions } of servers.values() as Iterable<{ readonly sessions: ReadonlySet<ServerHttp2Session> }>) {
    for (const session of sessions) {
      if (session.closed) continue;
      session.goaway(constants.NGHTTP2_NO_ERROR, LAST_STREAM);
      told += 1;
    }
  }
  return told;
}

import type { ServerHttp2Session } from "node:http2";

/**
 * How many calls may be open at once on each connection. Whoever wants more keeps them until there is room, which costs this server nothing: Envoy opens further connections, as far as
 * it may, then lets requests wait, then refuses them itself.
 */
export interface StreamShares {
  /** Shares with this session too, until it closes. */
  add(session: ServerHttp2Session): void;
  close(): void;
}

/** On a new connection: before a client hears of a limit it sends as many as HTTP/2 advises to let it. */
export const FIRST_STREAMS = 100;
/** On one connection, where there are few: a worker of a gateway that needs more opens another one. */
const MOST_STREAMS = 32;
/** On one connection, however many there are. */
const LEAST_STREAMS = 2;
/** On all of them together, as far as the least allows: it keeps the thread busy while records are written, and takes it some tens of milliseconds to answer. */
const ALL_STREAMS = 512;
const TELL_MS = 50;

/** Of so many sessions, each. */
export function shareOf(sessions: number): number {
  let share = MOST_STREAMS;
  while (share > LEAST_STREAMS && share * sessions > ALL_STREAMS) share /= 2;
  return share;
}

/**
 * For the sessions of one listener, each of which begins with `FIRST_STREAMS`.
 * @param openOn how many calls are open on a session
 */
export function createStreamShares(openOn: (session: ServerHttp2Session) => number): StreamShares {
  const told = new Map<ServerHttp2Session, number>();
  let share = MOST_STREAMS;
  let timer: NodeJS.Timeout | null = null;

  function tellAll(): void {
    timer = null;
    const now = shareOf(told.size);
    // It grows only when it would for twice as many, so that one that comes and goes changes nothing.
    if (now < share || shareOf(told.size * 2) > share) share = now;
    let isLater = false;
    for (const [session, streams] of told) {
      // What a busy client asks before it hears of less would be refused: it hears of it when it is not.
      if (share >= streams || openOn(session) <= share / 2) tell(session, share);
      else isLater = true;
    }
    if (isLater) soon();
  }

  function tell(session: ServerHttp2Session, streams: number): void {
    if (told.get(session) === streams || session.closed || session.destroyed) return;
    told.set(session, streams);
    session.settings({ maxConcurrentStreams: streams });
  }

  function soon(): void {
    timer ??= setTimeout(tellAll, TELL_MS).unref();
  }

  return {
    add(session) {
      told.set(session, FIRST_STREAMS);
      session.once("close", () => {
        told.delete(session);
        soon();
      });
      soon();
    },
    close() {
      if (timer !== null) clearTimeout(timer);
    },
  };
}

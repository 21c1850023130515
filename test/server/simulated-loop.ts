import { type Admission, type AdmissionOptions, createAdmission } from "../../src/server/admission.ts";

/** A server with one thread, in simulated time. */
export interface SimulatedServer {
  /** Milliseconds that deciding a Check takes, and refusing one. */
  readonly decideMs: number;
  readonly refuseMs: number;
  readonly connections: number;
  /** Milliseconds that a Check takes longer, by when that begins. */
  readonly pauses?: readonly (readonly [atMs: number, forMs: number])[];
}

/** What became of the Checks. */
export interface Seen {
  readonly asked: number;
  /** Milliseconds from coming to being answered, of those that were decided. */
  readonly decided: readonly number[];
  readonly refused: number;
  readonly byConnection: readonly number[];
  readonly admission: Admission;
}

/**
 * Lets Checks come at the times that `arrivals` gives, whether or not they are answered, and handles them as Node does: turn by turn, connection by connection, of each all that is there. A loop
 * without anything to do waits.
 */
export function simulate(options: AdmissionOptions, server: SimulatedServer, arrivals: Iterable<number>): Seen {
  let now = 1_000;
  let idle = 0;
  let turnEnds: (() => void)[] = [];
  const admission = createAdmission(options, {
    now: () => now,
    idle: () => idle,
    afterTurn: (ended) => void turnEnds.push(ended),
  });
  const coming = [...arrivals].map((each) => each + now);
  const pauses = (server.pauses ?? []).map(([atMs, forMs]) => [atMs + 1_000, forMs] as const);
  const queues: number[][] = Array.from({ length: server.connections }, () => []);
  const decided: number[] = [];
  const byConnection = queues.map(() => 0);
  let refused = 0;
  let next = 0;

  function arrive(): void {
    for (; next < coming.length && (coming[next] ?? 0) <= now; next += 1) {
      queues[next % queues.length]?.push(coming[next] ?? 0);
    }
  }

  function handle(connection: number, came: number): void {
    if (!admission.admit()) {
      refused += 1;
      now += server.refuseMs;
      return;
    }
    admission.began(now);
    now += server.decideMs;
    if (now >= (pauses[0]?.[0] ?? Number.POSITIVE_INFINITY)) now += pauses.shift()?.[1] ?? 0;
    admission.ended(now);
    decided.push(now - came);
    byConnection[connection] = (byConnection[connection] ?? 0) + 1;
  }

  while (next < coming.length || queues.some((each) => each.length > 0)) {
    arrive();
    if (queues.every((each) => each.length === 0)) {
      const until = coming[next] ?? now;
      idle += until - now;
      now = until;
      arrive();
    }
    for (const [connection, queue] of queues.entries()) {
      for (let came = queue.shift(); came !== undefined; came = queue.shift()) {
        handle(connection, came);
        arrive();
      }
    }
    // What asking the kernel takes.
    now += 0.005;
    const ends = turnEnds;
    turnEnds = [];
    for (const ended of ends) ended();
  }
  return { asked: coming.length, decided, refused, byConnection, admission };
}

/** Times at which Checks come that know nothing of each other, so many a second on average. `seed` makes them the same again. */
export function* poisson(perSecond: number, seconds: number, seed: number): Generator<number> {
  let state = seed;
  for (let at = 0; ; ) {
    state = (state * 1_664_525 + 1_013_904_223) >>> 0;
    at -= (Math.log((state + 1) / 2 ** 32) * 1000) / perSecond;
    if (at >= seconds * 1000) return;
    yield at;
  }
}

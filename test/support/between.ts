import { once } from "node:events";
import { createServer, type IncomingHttpHeaders } from "node:http";
import type { AddressInfo } from "node:net";

/** The server's answer to a poll for policies. */
export interface PollAnswer {
  readonly status: number;
  readonly headers: Record<string, string>;
  readonly body: Buffer;
}

/** What becomes of an answer; null leaves the poll without one. */
export type Tamper = (answer: PollAnswer, asked: IncomingHttpHeaders) => PollAnswer | null;

/** Somebody between gateway and server who can change what the gateway is given. */
export interface Between {
  tamper: Tamper;
  /** The first whole answer that went by. */
  readonly first: PollAnswer | null;
  /** Begins, in front of the server's administration; resolves with its own port. */
  start(adminPort: number): Promise<number>;
  close(): void;
}

export const UNTOUCHED: Tamper = (answer) => answer;

const KEPT = [
  "etag",
  "x-sallyport-nonce",
  "x-sallyport-lease-ms",
  "x-sallyport-generation",
  "x-sallyport-record-headers",
  "x-sallyport-signature",
];

/** Creates one who begins by changing nothing. */
export function createBetween(): Between {
  let first: PollAnswer | null = null;
  let adminPort = 0;
  const server = createServer(async (request, response) => {
    const headers: Record<string, string> = {};
    for (const [name, value] of Object.entries(request.headers)) {
      if (typeof value === "string" && !["host", "connection"].includes(name)) headers[name] = value;
    }
    const answer = await fetch(`http://127.0.0.1:${adminPort}${request.url}`, { headers }).catch(() => null);
    if (answer === null) return void response.destroy();
    const poll = {
      status: answer.status,
      headers: Object.fromEntries(KEPT.map((name) => [name, answer.headers.get(name) ?? ""]).filter(([, v]) => v)),
      body: Buffer.from(await answer.arrayBuffer()),
    };
    if (poll.status === 200) first ??= poll;
    const told = between.tamper(poll, request.headers);
    if (told === null) return;
    response.writeHead(told.status, told.headers);
    response.end(told.status === 304 ? undefined : told.body);
  });
  const between: Between = {
    tamper: UNTOUCHED,
    get first() {
      return first;
    },
    async start(port) {
      adminPort = port;
      server.listen(0, "127.0.0.1");
      await once(server, "listening");
      return (server.address() as AddressInfo).port;
    },
    close() {
      server.closeAllConnections();
      server.close();
    },
  };
  return between;
}

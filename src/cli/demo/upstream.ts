import { once } from "node:events";
import { createServer as createHttpServer, type IncomingMessage, type ServerResponse } from "node:http";
import {
  createServer as createHttp2Server,
  createSecureServer,
  type Http2ServerRequest,
  type Http2ServerResponse,
} from "node:http2";
import { type AddressInfo, createServer } from "node:net";
import type { Duplex } from "node:stream";
import { TLSSocket } from "node:tls";
import type { Leaf } from "./pki.ts";

/** What the outside saw of one request. */
export interface SeenRequest {
  readonly method: string;
  readonly path: string;
  readonly host: string;
  readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>;
  /** The name that the TLS client said. */
  readonly sni: string | null;
  readonly tlsVersion: string | null;
  /** Names in the TLS client's certificate, whoever signed it, such as `DNS:partner-client`. */
  readonly client: string | null;
  /** Which of the connections so far it came on. */
  readonly connection: number;
}

/** Stands in for the Internet, on loopback. */
export interface Upstream {
  readonly tlsPort: number;
  readonly plainPort: number;
  /** Answers HTTP/1.1 in clear. */
  readonly clearPort: number;
  /** Answers HTTP/2 in clear, to clients that know it does. */
  readonly clearHttp2Port: number;
  readonly seen: SeenRequest[];
  /** Connections accepted so far on each port. */
  readonly connections: { tls: number; plain: number };
  close(): Promise<void>;
}

/** The path at which upgrades are answered as if they were plain requests. */
const REFUSES = "/refuses-upgrades";
const BANNER = "BANNER of a server that speaks first\n";

/** A TLS server that says what it saw and accepts WebSocket upgrades, the same in clear without upgrades, and a TCP server that speaks first and echoes. */
export async function startUpstream(leaf: Leaf): Promise<Upstream> {
  const seen: SeenRequest[] = [];
  const connections = { tls: 0, plain: 0 };
  const sockets = new Set<Duplex>();
  const numbers = new WeakMap<object, number>();
  const web = createSecureServer(
    { ...leaf, allowHTTP1: true, requestCert: true, rejectUnauthorized: false },
    (request, response) => {
      answer(request, response, seen, numbers);
    },
  );
  const upgrade = (request: IncomingMessage, socket: Duplex): void => {
    const { method = "", url = "", headers } = request;
    seen.push({ method, path: url, host: headers.host ?? "", headers, ...peer(socket, numbers) });
    socket.write(
      url === REFUSES
        ? "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"
        : `HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: ${headers.upgrade}\r\n\r\n`,
    );
  };
  web.on("upgrade", upgrade);
  const plain = createServer((socket) => {
    connections.plain += 1;
    socket.write(BANNER);
    socket.on("error", () => undefined).pipe(socket);
  });
  const keep = (socket: Duplex): void => {
    // Whoever goes away in the middle is no error here.
    sockets.add(socket.on("error", () => undefined));
    socket.once("close", () => sockets.delete(socket));
  };
  web.on("connection", keep);
  web.on("secureConnection", (socket) => {
    connections.tls += 1;
    numbers.set(socket, connections.tls);
  });
  const clear = createHttpServer((request, response) => answer(request, response, seen, numbers));
  const clearHttp2 = createHttp2Server((request, response) => answer(request, response, seen, numbers));
  clear.on("upgrade", upgrade);
  plain.on("connection", keep);
  clear.on("connection", keep);
  clearHttp2.on("connection", keep);
  const servers = [web, plain, clear, clearHttp2];
  for (const server of servers) server.listen(0, "127.0.0.1");
  await Promise.all(servers.map((server) => once(server, "listening")));
  return {
    tlsPort: (web.address() as AddressInfo).port,
    plainPort: (plain.address() as AddressInfo).port,
    clearPort: (clear.address() as AddressInfo).port,
    clearHttp2Port: (clearHttp2.address() as AddressInfo).port,
    seen,
    connections,
    async close() {
      for (const socket of sockets) socket.destroy();
      await Promise.all(servers.map((server) => new Promise((done) => server.close(done))));
    },
  };
}

function answer(
  request: Http2ServerRequest | IncomingMessage,
  response: Http2ServerResponse | ServerResponse,
  seen: SeenRequest[],
  numbers: WeakMap<object, number>,
): void {
  const { method = "", url = "", headers } = request;
  const socket =
    "stream" in request && request.httpVersionMajor === 2 ? request.stream.session?.socket : request.socket;
  const authority = headers[":authority"];
  const host = typeof authority === "string" ? authority : (headers.host ?? "");
  seen.push({ method, path: url, host, headers, ...peer(socket, numbers) });
  request.resume();
  response.statusCode = 200;
  response.setHeader("content-type", "application/json");
  response.end(`${JSON.stringify({ outside: host, method, path: url })}\n`);
}

function peer(
  socket: object | undefined,
  numbers: WeakMap<object, number>,
): Pick<SeenRequest, "sni" | "tlsVersion" | "client" | "connection"> {
  if (!(socket instanceof TLSSocket)) return { sni: null, tlsVersion: null, client: null, connection: 0 };
  const { servername } = socket as TLSSocket & { servername?: string | false };
  const client = socket.getPeerCertificate().subjectaltname;
  return {
    sni: servername || null,
    tlsVersion: socket.getProtocol(),
    client: client ?? null,
    connection: numbers.get(socket) ?? 0,
  };
}

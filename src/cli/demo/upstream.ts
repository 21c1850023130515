import { once } from "node:events";
import { createSecureServer, type Http2ServerRequest, type Http2ServerResponse } from "node:http2";
import { type AddressInfo, createServer, type Socket } from "node:net";
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
  readonly seen: SeenRequest[];
  /** Connections accepted so far on each port. */
  readonly connections: { tls: number; plain: number };
  close(): Promise<void>;
}

/** The path at which upgrades are answered as if they were plain requests. */
const REFUSES = "/refuses-upgrades";
const BANNER = "BANNER of a server that speaks first\n";

/** A TLS server that says what it saw and accepts WebSocket upgrades, and a TCP server that speaks first and echoes. */
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
  web.on("upgrade", (request: { headers: Record<string, string>; method: string; url: string }, socket: Socket) => {
    const { headers, method, url } = request;
    seen.push({ method, path: url, host: headers.host ?? "", headers, ...peer(socket, numbers) });
    if (url === REFUSES) {
      socket.write("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
      return;
    }
    socket.write("HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n");
  });
  const plain = createServer((socket) => {
    connections.plain += 1;
    socket.write(BANNER);
    socket.on("error", () => undefined).pipe(socket);
  });
  const keep = (socket: Duplex): void => {
    sockets.add(socket);
    socket.once("close", () => sockets.delete(socket));
  };
  web.on("connection", keep);
  web.on("secureConnection", (socket) => {
    connections.tls += 1;
    numbers.set(socket, connections.tls);
  });
  plain.on("connection", keep);
  web.listen(0, "127.0.0.1");
  plain.listen(0, "127.0.0.1");
  await Promise.all([once(web, "listening"), once(plain, "listening")]);
  return {
    tlsPort: (web.address() as AddressInfo).port,
    plainPort: (plain.address() as AddressInfo).port,
    seen,
    connections,
    async close() {
      for (const socket of sockets) socket.destroy();
      await Promise.all([new Promise((done) => web.close(done)), new Promise((done) => plain.close(done))]);
    },
  };
}

function answer(
  request: Http2ServerRequest,
  response: Http2ServerResponse,
  seen: SeenRequest[],
  numbers: WeakMap<object, number>,
): void {
  const { method, url, headers } = request;
  const socket = request.httpVersionMajor === 2 ? request.stream.session?.socket : request.socket;
  const host = headers[":authority"] ?? headers.host ?? "";
  seen.push({ method, path: url, host, headers, ...peer(socket, numbers) });
  request.resume();
  response.writeHead(200, { "content-type": "application/json" });
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

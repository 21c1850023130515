import { connect as connectHttp2 } from "node:http2";
import { connect, type Socket } from "node:net";
import { connect as connectTls } from "node:tls";
import type { Target } from "../support/reach.ts";

const LIMIT_MS = 6_000;

/** Where an application's connection was going before it was redirected into its sidecar. */
export interface Destination {
  readonly sidecarPort: number;
  readonly address: string;
  readonly port: number;
}

/** Redirects as iptables does: the sidecar learns the original destination from a PROXY header in place of the kernel. */
function redirected({ sidecarPort, address, port }: Destination): Socket {
  const socket = connect(sidecarPort, "127.0.0.1");
  socket.on("error", () => undefined);
  socket.write(`PROXY TCP4 10.244.1.200 ${address} 40000 ${port}\r\n`);
  return socket;
}

/** What came back until the other side closed, the limit was over, or it was enough. */
function collect(socket: Socket, text: string, enough: (received: string) => boolean): Promise<string> {
  return new Promise((resolve) => {
    let received = "";
    const end = (): void => {
      clearTimeout(timer);
      socket.destroy();
      resolve(received);
    };
    const timer = setTimeout(end, LIMIT_MS);
    socket.on("data", (chunk: Buffer) => {
      received += chunk.toString("latin1");
      if (enough(received)) end();
    });
    socket.on("end", end).on("close", end).on("error", end);
    if (text !== "") socket.write(text);
  });
}

/** The status of an HTTP/1.1 answer of the outside; `closed` if there was none, `refused N` if it was somebody else's. */
function outcome(text: string): string {
  const status = /^HTTP\/1\.1 (\d{3})/.exec(text)?.[1];
  if (status === undefined) return "closed";
  return text.includes('"outside"') || status === "101" ? status : `refused ${status}`;
}

/** An HTTP/1.1 request in clear. */
async function http(destination: Destination, host: string, headers: readonly string[] = []): Promise<string> {
  const upgrades = headers.some((header) => /^upgrade:/i.test(header));
  const lines = ["GET /x HTTP/1.1", `host: ${host}`, ...headers, ...(upgrades ? [] : ["connection: close"])];
  const text = `${lines.join("\r\n")}\r\n\r\n`;
  const enough = (received: string): boolean => upgrades && received.includes("\r\n\r\n");
  return outcome(await collect(redirected(destination), text, enough));
}

/** A gRPC call: HTTP/2 with prior knowledge. */
function grpc(destination: Destination, host: string): Promise<string> {
  const socket = redirected(destination);
  const session = connectHttp2("http://mesh.invalid", { createConnection: () => socket });
  return new Promise((resolve) => {
    const end = (text: string): void => {
      clearTimeout(timer);
      session.destroy();
      resolve(text);
    };
    const timer = setTimeout(() => end("closed"), LIMIT_MS);
    session.on("error", () => end("closed")).on("close", () => end("closed"));
    const headers = {
      ":method": "POST",
      ":path": "/x",
      ":authority": `${host}:${destination.port}`,
      "content-type": "application/grpc",
    };
    const stream = session.request(headers);
    let status = "closed";
    let body = "";
    stream.on("response", (answer) => {
      status = String(answer[":status"]);
    });
    stream.setEncoding("utf8").on("data", (chunk: string) => {
      body += chunk;
    });
    stream.on("end", () => end(body.includes('"outside"') ? status : `refused ${status}`));
    stream.on("error", () => end("closed"));
    stream.end();
  });
}

/** The application's own TLS. */
export function tls(destination: Destination, host: string, ca: string): Promise<string> {
  const secure = connectTls({ socket: redirected(destination), servername: host, ca });
  return collect(secure, `GET /x HTTP/1.1\r\nhost: ${host}\r\nconnection: close\r\n\r\n`, () => false).then(outcome);
}

/** Bytes that the server outside says back. */
async function tcp(destination: Destination): Promise<string> {
  const text = "select 1\n";
  const received = await collect(redirected(destination), text, (all) => all.includes(text));
  return received.includes(text) ? "200" : received === "" ? "closed" : `heard ${received}`;
}

function upgradeHeaders(upgrade: string | null): readonly string[] {
  return upgrade === null
    ? []
    : ["connection: Upgrade", `upgrade: ${upgrade}`, "sec-websocket-version: 13", "sec-websocket-key: AAAA"];
}

/** What an application does to reach a target. */
export function attempt(sidecarPort: number, target: Target, address: string, ca: string): Promise<string> {
  const { host, port } = target;
  const destination = { sidecarPort, address, port: port.number };
  switch (port.protocol) {
    case "HTTP":
      return http(destination, port.number === 80 ? host : `${host}:${port.number}`, upgradeHeaders(target.upgrade));
    case "GRPC":
      return grpc(destination, host);
    case "HTTPS":
    case "TLS":
      return tls(destination, host, ca);
    case "TCP":
      return tcp(destination);
  }
}

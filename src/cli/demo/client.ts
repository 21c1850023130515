import { connect as connectHttp2, constants } from "node:http2";
import { type ConnectionOptions, connect, type TLSSocket } from "node:tls";
import type { Leaf } from "./pki.ts";

/** How a workload reaches the gateway. */
export interface Caller {
  readonly leaf: Leaf | null;
  /** Roots of the gateway's certificate. */
  readonly ca: string;
}

/** What came back. `status` is null when the connection was closed without an answer. */
export interface Answer {
  readonly status: number | null;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

const LIMIT_MS = 8_000;
const CLOSED: Answer = { status: null, headers: {}, body: "" };

function options({ leaf, ca }: Caller, servername: string | null): ConnectionOptions {
  return {
    host: "127.0.0.1",
    ca,
    // The gateway's name is its SPIFFE ID, not a host name; its chain is still verified.
    checkServerIdentity: () => undefined,
    ...(servername === null ? {} : { servername }),
    ...(leaf === null ? {} : { cert: leaf.cert, key: leaf.key }),
  };
}

/** Sends these bytes as they are over mTLS and returns everything received until the other side ends or `until` says so. */
export async function sendBytes(
  caller: Caller,
  port: number,
  bytes: string | Buffer,
  servername: string | null = null,
  until: (text: string) => boolean = () => false,
): Promise<string> {
  const socket = connect({ ...options(caller, servername), port, ALPNProtocols: ["http/1.1"] });
  return collect(socket, bytes, until);
}

function collect(socket: TLSSocket, bytes: string | Buffer, until: (text: string) => boolean): Promise<string> {
  return new Promise((resolve) => {
    let text = "";
    const end = (): void => {
      clearTimeout(timer);
      socket.destroy();
      resolve(text);
    };
    const timer = setTimeout(end, LIMIT_MS);
    socket.on("secureConnect", () => socket.write(bytes));
    socket.on("data", (chunk: Buffer) => {
      text += chunk.toString("latin1");
      if (until(text)) end();
    });
    socket.on("end", end).on("close", end).on("error", end);
  });
}

/** An HTTP/1.1 answer out of what was received. */
export function parseAnswer(text: string): Answer {
  const match = /^HTTP\/1\.1 (\d{3})[^\r]*\r\n([\s\S]*?)\r\n\r\n([\s\S]*)$/.exec(text);
  if (match === null) return CLOSED;
  const headers: Record<string, string> = {};
  for (const line of (match[2] ?? "").split("\r\n")) {
    const colon = line.indexOf(":");
    headers[line.slice(0, colon).toLowerCase()] = line.slice(colon + 1).trim();
  }
  return { status: Number(match[1]), headers, body: unchunk(headers, match[3] ?? "") };
}

function unchunk(headers: Readonly<Record<string, string>>, body: string): string {
  if (headers["transfer-encoding"] !== "chunked") return body;
  return body.replace(/(^|\r\n)[0-9a-f]+\r\n/g, "").replace(/\r\n$/, "");
}

/** One HTTP/1.1 request with exactly these header lines; `connection: close` is added unless it upgrades. */
export async function requestHttp1(
  caller: Caller,
  port: number,
  line: string,
  headers: readonly string[],
  servername: string | null = null,
): Promise<Answer> {
  const upgrades = headers.some((header) => /^connection:/i.test(header));
  const lines = [`${line} HTTP/1.1`, ...headers, ...(upgrades ? [] : ["connection: close"])];
  return parseAnswer(await sendBytes(caller, port, `${lines.join("\r\n")}\r\n\r\n`, servername, isWhole));
}

/** Headers and as many body bytes as they promise, or a switch of protocols. */
function isWhole(text: string): boolean {
  const end = text.indexOf("\r\n\r\n");
  if (end < 0) return false;
  if (text.startsWith("HTTP/1.1 101")) return true;
  const length = /\r\ncontent-length: (\d+)/i.exec(text.slice(0, end + 2));
  return length !== null && text.length >= end + 4 + Number(length[1]);
}

/** One HTTP/2 request with these headers, pseudo-headers included. */
export async function requestHttp2(
  caller: Caller,
  port: number,
  headers: Readonly<Record<string, string | string[]>>,
): Promise<Answer> {
  const session = connectHttp2(`https://127.0.0.1:${port}`, { ...options(caller, null), ALPNProtocols: ["h2"] });
  return new Promise((resolve) => {
    const finish = (answer: Answer): void => {
      clearTimeout(timer);
      session.destroy();
      resolve(answer);
    };
    const timer = setTimeout(() => finish(CLOSED), LIMIT_MS);
    session.on("error", () => finish(CLOSED));
    session.on("close", () => finish(CLOSED));
    const stream = session.request(headers);
    let status: number | null = null;
    let body = "";
    const got: Record<string, string> = {};
    stream.setEncoding("utf8");
    stream.on("response", (response) => {
      status = Number(response[constants.HTTP2_HEADER_STATUS]);
      for (const [name, value] of Object.entries(response)) got[name] = String(value);
    });
    stream.on("data", (chunk: string) => {
      body += chunk;
    });
    stream.on("end", () => finish({ status, headers: got, body }));
    stream.on("error", () => finish(status === null ? CLOSED : { status, headers: got, body }));
    stream.end();
  });
}

/**
 * Speaks TLS inside mTLS: the outer connection names `outer` as SNI, the inner one is the application's own to
 * `inner`. Answers with the application's HTTP answer, closed when the gateway lets nothing through.
 */
export async function requestTlsInTls(
  caller: Caller,
  port: number,
  outer: string,
  inner: { readonly servername: string; readonly ca: string },
): Promise<Answer> {
  const carrier = connect({ ...options(caller, outer), port });
  carrier.on("error", () => undefined);
  return new Promise((resolve) => {
    const timer = setTimeout(() => finish(""), LIMIT_MS);
    const finish = (text: string): void => {
      clearTimeout(timer);
      carrier.destroy();
      resolve(parseAnswer(text));
    };
    carrier.on("close", () => finish(""));
    carrier.on("secureConnect", () => {
      const socket = connect({ socket: carrier, servername: inner.servername, ca: inner.ca });
      const request = `GET /inside HTTP/1.1\r\nhost: ${inner.servername}\r\nconnection: close\r\n\r\n`;
      collect(socket, request, () => false).then(finish);
    });
  });
}

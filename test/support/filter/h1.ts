import { once } from "node:events";
import { connect, type TLSSocket } from "node:tls";
import type { Leaf } from "../../../src/cli/demo/pki.ts";

/** An answer, with names in lower case. Null when the connection ended without one. */
export interface RawAnswer {
  readonly status: number;
  readonly headers: ReadonlyMap<string, string>;
}

/** Sends requests as bytes, one after another, over connections that stay open. */
export interface RawClient {
  /** `head` is everything up to the empty line, a byte for each character. */
  send(head: string): Promise<RawAnswer | null>;
  close(): void;
}

const LIMIT_MS = 10_000;

/** A client with this certificate. */
export function createRawClient(port: number, leaf: Leaf | null, ca: string): RawClient {
  let socket: TLSSocket | null = null;
  let closed = false;

  async function open(): Promise<TLSSocket> {
    const keys = leaf === null ? {} : { cert: leaf.cert, key: leaf.key };
    const made = connect({ host: "127.0.0.1", port, ca, checkServerIdentity: () => undefined, ...keys });
    made.setTimeout(LIMIT_MS, () => made.destroy(new Error(`no connection within ${LIMIT_MS} ms`)));
    // One that failed has said so already, and nobody listens for a second error.
    made.once("close", () => made.errored === null && made.emit("error", new Error("the connection was closed")));
    await once(made, "secureConnect");
    made.setTimeout(0);
    made.removeAllListeners("close");
    made.setNoDelay(true);
    return made;
  }

  return {
    async send(head) {
      const idle = socket;
      socket = null;
      const used = idle ?? (await open());
      const answer = await exchange(used, head);
      const staysOpen = answer !== null && answer.headers.get("connection") !== "close" && answer.status !== 101;
      // One stays, of those that were opened at once.
      if (staysOpen && socket === null && !closed) socket = used;
      else used.destroy();
      return answer;
    },
    close() {
      closed = true;
      socket?.destroy();
    },
  };
}

function exchange(socket: TLSSocket, head: string): Promise<RawAnswer | null> {
  return new Promise((resolve) => {
    let text = "";
    const end = (answer: RawAnswer | null) => (): void => {
      clearTimeout(timer);
      socket.removeAllListeners();
      socket.on("error", () => undefined);
      resolve(answer);
    };
    const timer = setTimeout(end(null), LIMIT_MS);
    socket.on("data", (chunk: Buffer) => {
      text += chunk.toString("latin1");
      const at = text.indexOf("\r\n\r\n");
      if (at === -1) return;
      const answer = parseHead(text.slice(0, at));
      const length = head.startsWith("HEAD ") ? 0 : Number(answer.headers.get("content-length") ?? 0);
      if (text.length >= at + 4 + length) end(answer)();
    });
    socket.on("error", end(null)).on("close", end(null));
    socket.write(Buffer.from(`${head}\r\n\r\n`, "latin1"));
  });
}

function parseHead(head: string): RawAnswer {
  const [first = "", ...lines] = head.split("\r\n");
  const pairs = lines.map((line): [string, string] => {
    const colon = line.indexOf(":");
    return [line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim()];
  });
  return { status: Number(first.split(" ")[1]), headers: new Map(pairs) };
}

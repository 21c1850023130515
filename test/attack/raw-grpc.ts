import { once } from "node:events";
import { type ClientHttp2Session, connect, constants } from "node:http2";

/** A gRPC call's body and headers as they go out, whatever gRPC thinks of them. */
export interface RawCall {
  readonly body: Buffer;
  readonly headers?: Readonly<Record<string, string>>;
}

/** What came back. `grpcStatus` is null when the stream ended without one; `message` is what was received, without its prefix. */
export interface RawAnswer {
  readonly grpcStatus: number | null;
  readonly message: Buffer | null;
  readonly afterMs: number;
}

/** A connection to a gRPC server that lets any bytes by, and is made anew when the server has ended it. */
export interface RawClient {
  call(call: RawCall): Promise<RawAnswer>;
  close(): void;
}

const PATH = "/envoy.service.auth.v3.Authorization/Check";

/** The five bytes and the message. */
export function framed(message: Buffer, flag = 0, length = message.length): Buffer {
  const head = Buffer.alloc(5);
  head[0] = flag;
  head.writeUInt32BE(length >>> 0, 1);
  return Buffer.concat([head, message]);
}

/** `limitMs`: a call that has no answer by then is given up, with `grpcStatus` null. */
export function createRawClient(address: string, limitMs: number): RawClient {
  let session: Promise<ClientHttp2Session> | null = null;

  function open(): Promise<ClientHttp2Session> {
    const made = connect(`http://${address}`);
    made.on("error", () => undefined);
    const drop = (): void => {
      session = null;
    };
    made.on("close", drop).on("goaway", drop);
    return once(made, "connect").then(() => made);
  }

  return {
    async call({ body, headers = {} }) {
      session ??= open();
      const own = await session;
      const begun = performance.now();
      return new Promise((resolve) => {
        const stream = own.request({
          ":method": "POST",
          ":path": PATH,
          "content-type": "application/grpc",
          te: "trailers",
          ...headers,
        });
        const parts: Buffer[] = [];
        let status: number | null = null;
        const readStatus = (head: Readonly<Record<string, unknown>>): void => {
          const told = head["grpc-status"];
          if (told !== undefined) status = Number(told);
        };
        const timer = setTimeout(() => stream.close(constants.NGHTTP2_CANCEL), limitMs);
        stream.on("response", readStatus).on("trailers", readStatus);
        stream.on("data", (part: Buffer) => parts.push(part));
        stream.on("error", () => undefined);
        stream.on("close", () => {
          clearTimeout(timer);
          const whole = Buffer.concat(parts);
          resolve({
            grpcStatus: status,
            message: whole.length < 5 ? null : whole.subarray(5),
            afterMs: performance.now() - begun,
          });
        });
        stream.end(body);
      });
    },
    close() {
      void session?.then((own) => own.destroy());
    },
  };
}

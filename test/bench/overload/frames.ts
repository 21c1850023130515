/** As much of HTTP/2 as asking Checks takes: a general client costs more than the server that is measured. @see RFC 9113, RFC 7541 */

export const FRAME = { data: 0, headers: 1, reset: 3, settings: 4, ping: 6, goaway: 7, windowUpdate: 8 } as const;
export const FLAG = { ack: 1, endStream: 1, endHeaders: 4 } as const;
const HEAD_BYTES = 9;
/** Reset because nobody waits any more. */
export const CANCEL = 8;
/** What both sides begin with. */
export const FIRST_WINDOW = 65_535;

const SETTING = { enablePush: 2, maxConcurrentStreams: 3, initialWindow: 4 } as const;
const LARGE_WINDOW = 2 ** 30;
const POST = 0x83;
const SCHEME_HTTP = 0x86;
const FIRST_DYNAMIC = 62;

export function frame(type: number, flags: number, stream: number, payload: Uint8Array): Buffer {
  const bytes = Buffer.allocUnsafe(HEAD_BYTES + payload.length);
  bytes.writeUIntBE(payload.length, 0, 3);
  bytes[3] = type;
  bytes[4] = flags;
  bytes.writeUInt32BE(stream, 5);
  bytes.set(payload, HEAD_BYTES);
  return bytes;
}

/** A frame whose payload is one number of four bytes. */
export function numberFrame(type: number, stream: number, value: number): Buffer {
  const payload = Buffer.alloc(4);
  payload.writeUInt32BE(value);
  return frame(type, 0, stream, payload);
}

/** What a client says first: no pushes, and windows in which all answers fit. */
export function greeting(): Buffer {
  const settings = Buffer.alloc(12);
  settings.writeUInt16BE(SETTING.enablePush, 0);
  settings.writeUInt16BE(SETTING.initialWindow, 6);
  settings.writeUInt32BE(LARGE_WINDOW, 8);
  return Buffer.concat([
    Buffer.from("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"),
    frame(FRAME.settings, 0, 0, settings),
    numberFrame(FRAME.windowUpdate, 0, LARGE_WINDOW),
  ]);
}

/** The most streams that may be open, if a settings frame's payload says so. */
export function maxStreamsOf(settings: Buffer): number | null {
  for (let at = 0; at + 6 <= settings.length; at += 6) {
    if (settings.readUInt16BE(at) === SETTING.maxConcurrentStreams) return settings.readUInt32BE(at + 2);
  }
  return null;
}

/** The headers of a Check as Envoy sends them: the first time in full, then as numbers in the table that this made. */
export function headerBlocks(path: string, timeoutMs: number): { readonly first: Buffer; readonly later: Buffer } {
  const headers = [
    [":path", path],
    [":authority", "sallyport"],
    ["te", "trailers"],
    ["grpc-timeout", `${timeoutMs}m`],
    ["content-type", "application/grpc"],
    ["x-envoy-internal", "true"],
    ["x-forwarded-for", "10.0.0.1"],
  ] as const;
  const literal = ([name, value]: readonly [string, string]): Buffer =>
    Buffer.concat([Buffer.of(0x40, name.length), Buffer.from(name), Buffer.of(value.length), Buffer.from(value)]);
  const indexed = headers.map((_, at) => 0x80 | (FIRST_DYNAMIC + headers.length - 1 - at));
  return {
    first: Buffer.concat([Buffer.of(POST, SCHEME_HTTP), ...headers.map(literal)]),
    later: Buffer.of(POST, SCHEME_HTTP, ...indexed),
  };
}

/** A gRPC message that is not compressed. */
export function grpcMessage(message: Uint8Array): Buffer {
  const bytes = Buffer.allocUnsafe(5 + message.length);
  bytes[0] = 0;
  bytes.writeUInt32BE(message.length, 1);
  bytes.set(message, 5);
  return bytes;
}

/** Gives whole frames out of bytes that come in pieces. */
export function createFrameReader(
  take: (type: number, flags: number, stream: number, payload: Buffer) => void,
): (bytes: Buffer) => void {
  let rest: Buffer = Buffer.alloc(0);
  return (bytes) => {
    const all = rest.length === 0 ? bytes : Buffer.concat([rest, bytes]);
    let at = 0;
    while (at + HEAD_BYTES <= all.length) {
      const end = at + HEAD_BYTES + all.readUIntBE(at, 3);
      if (end > all.length) break;
      const stream = all.readUInt32BE(at + 5) & 0x7fff_ffff;
      take(all[at + 3] ?? 0, all[at + 4] ?? 0, stream, all.subarray(at + HEAD_BYTES, end));
      at = end;
    }
    rest = all.subarray(at);
  };
}

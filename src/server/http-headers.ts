import { isUtf8 } from "node:buffer";
import type { HeaderPair } from "../pdp/decision.ts";
import type { ReceivedHttp } from "./decode-check-request.ts";

/** The headers of an HTTP Check. Pseudo-headers are null when they did not come. */
export interface HttpHeaders {
  /** Envoy sent the raw pairs (`encode_raw_headers`). */
  readonly raw: boolean;
  readonly pairs: readonly HeaderPair[];
  readonly authority: string | null;
  readonly method: string | null;
  readonly path: string | null;
  /** Why no one request can be meant, or null. */
  readonly contradiction: string | null;
  readonly requestId: string | null;
  readonly traceId: string | null;
}

/** A value that no UTF-8 text has: whatever looks at it is in doubt. */
const UNDECODABLE: Uint8Array = Uint8Array.of(0xff);

/** Names that are read here, whatever the rules name. */
export const READ_HEADERS: readonly string[] = [":authority", ":method", ":path", "x-request-id", "traceparent"];

/**
 * Reads the headers in whichever form Envoy sent them; sent in both forms they all count, and are in doubt as repeated.
 * In raw mode the raw `:method` and `:path` stand, because they are what Envoy forwards, and an `:authority` that
 * differs from `host` becomes one more `host` pair, so that the engine sees the disagreement.
 */
export function readHttpHeaders(http: ReceivedHttp): HttpHeaders {
  const reader = new HeaderReader(http);
  // Pairs that reading adds lie beyond this and are none of the request's.
  const count = http.raw.length;
  for (let at = 0; at < count; at += 1) {
    const pair = http.raw[at];
    if (pair !== undefined) reader.take(pair[0], pair[1]);
  }
  for (const [name, value] of http.joined) reader.takeJoined(name, value);
  return reader;
}

class HeaderReader implements HttpHeaders {
  readonly raw: boolean;
  readonly pairs: HeaderPair[];
  authority: string | null = null;
  method: string | null = null;
  path: string | null = null;
  contradiction: string | null = null;
  requestId: string | null = null;
  traceId: string | null = null;
  private readonly host: string;

  constructor(http: ReceivedHttp) {
    this.raw = http.hasRaw;
    this.pairs = http.raw;
    this.host = http.host;
  }

  take(name: string, value: string | Uint8Array): void {
    if (name.charCodeAt(0) === COLON) this.takePseudo(name, textOf(value));
    else if (name === "x-request-id") this.requestId ??= textOf(value);
    else if (name === "traceparent") this.traceId ??= traceOf(textOf(value));
  }

  takeJoined(name: string, value: string): void {
    const pseudo = name.charCodeAt(0) === COLON;
    this.pairs.push([name, !pseudo && value.includes("!") ? UNDECODABLE : value]);
    this.take(name, value);
  }

  private takePseudo(name: string, value: string): void {
    if (name === ":authority") {
      if (value !== this.host) this.pairs.push(["host", value]);
      this.authority ??= value;
    } else if (name === ":method") {
      if (this.method !== null && this.method !== value) this.contradiction = "two methods";
      this.method ??= value;
    } else if (name === ":path") {
      if (this.path !== null && this.path !== value) this.contradiction = "two paths";
      this.path ??= value;
    }
  }
}

const COLON = 0x3a;

/** Text of a raw value. Bytes that are not UTF-8 come out percent-encoded, which leaves a path in doubt and a host invalid. */
export function textOf(value: string | Uint8Array): string {
  if (typeof value === "string") return value;
  const bytes = Buffer.from(value.buffer, value.byteOffset, value.byteLength);
  if (isUtf8(bytes)) return bytes.toString("utf8");
  return bytes.toString("latin1").replace(NOT_ASCII, (byte) => `%${byte.charCodeAt(0).toString(16).toUpperCase()}`);
}

const NOT_ASCII = /[\x80-\xff]/g;

/** The trace id of a W3C traceparent (`00-<32>-<16>-<2>`), or null. It is only recorded. */
export function traceOf(traceparent: string): string | null {
  const shaped =
    traceparent.length >= 55 && traceparent[2] === "-" && traceparent[35] === "-" && traceparent[52] === "-";
  return shaped ? traceparent.slice(3, 35) : null;
}

import type { HeaderPair } from "../pdp/decision.ts";
import { createWantedNames, type WantedNames } from "./wanted-names.ts";
import { WireReader } from "./wire-reader.ts";

/** What a Check carries, as far as it is read; nothing in it is trusted. Absent texts are empty. */
export class ReceivedCheck {
  /** `source.principal` and `source.certificate` (URL-encoded PEM). */
  principal = "";
  certificate = "";
  /** `destination.principal`: the gateway's own identity, and `destination.service`. */
  gateway = "";
  destinationService = "";
  sni = "";
  http: ReceivedHttp | null = null;
  /** What `context_extensions` says under the names of `EXTENSION`; null when it says nothing. */
  port: string | null = null;
  host: string | null = null;
}

/** The HTTP part of a Check. */
export class ReceivedHttp {
  method = "";
  path = "";
  host = "";
  /** The wanted ones of `header_map`, in order, names in lower case. A value is text when it is ASCII, else bytes. */
  readonly raw: HeaderPair[] = [];
  /** Whether `header_map` had any pair at all. */
  hasRaw = false;
  /** The wanted ones of `headers`, which has one text for each name; names in lower case. */
  readonly joined: (readonly [name: string, value: string])[] = [];
}

/** Names under which a generated route or listener says what it forwards to. */
export const EXTENSION = { host: "sallyport.host", port: "sallyport.port" } as const;

const EXTENSIONS = createWantedNames(Object.values(EXTENSION), "exact");

/**
 * Reads a CheckRequest off the wire. It is what the general decoder would give, or a refusal, without an object for each message and
 * header of which most are never looked at. Singular messages that come twice are merged, unknown fields skipped.
 * @param wanted Names of the headers to read; others are skipped.
 * @throws when the bytes are not such a message
 * @see protos/envoy/service/auth/v3/attribute_context.proto
 */
export function decodeCheckRequest(bytes: Buffer, wanted: WantedNames): ReceivedCheck {
  const check = new ReceivedCheck();
  const wire = new WireReader(bytes);
  while (wire.at < bytes.length) {
    if (wire.field() === 1) attributes(wire, wire.nested(bytes.length), check, wanted);
    else wire.skip();
  }
  return check;
}

function attributes(wire: WireReader, end: number, check: ReceivedCheck, wanted: WantedNames): void {
  while (wire.at < end) {
    const field = wire.field();
    if (field === 1) source(wire, wire.nested(end), check);
    else if (field === 2) destination(wire, wire.nested(end), check);
    else if (field === 4) request(wire, wire.nested(end), check, wanted);
    else if (field === 10) {
      const found = entry(wire, wire.nested(end), EXTENSIONS);
      if (found?.[0] === EXTENSION.port) check.port = found[1];
      else if (found?.[0] === EXTENSION.host) check.host = found[1];
    } else if (field === 12) tlsSession(wire, wire.nested(end), check);
    else wire.skip();
  }
  wire.ended(end);
}

function source(wire: WireReader, end: number, check: ReceivedCheck): void {
  while (wire.at < end) {
    const field = wire.field();
    if (field === 4) check.principal = wire.text(end);
    else if (field === 5) check.certificate = wire.text(end);
    else wire.skip();
  }
  wire.ended(end);
}

function destination(wire: WireReader, end: number, check: ReceivedCheck): void {
  while (wire.at < end) {
    const field = wire.field();
    if (field === 2) check.destinationService = wire.text(end);
    else if (field === 4) check.gateway = wire.text(end);
    else wire.skip();
  }
  wire.ended(end);
}

function tlsSession(wire: WireReader, end: number, check: ReceivedCheck): void {
  while (wire.at < end) {
    if (wire.field() === 1) check.sni = wire.text(end);
    else wire.skip();
  }
  wire.ended(end);
}

function request(wire: WireReader, end: number, check: ReceivedCheck, wanted: WantedNames): void {
  while (wire.at < end) {
    if (wire.field() === 2) {
      check.http ??= new ReceivedHttp();
      http(wire, wire.nested(end), check.http, wanted);
    } else wire.skip();
  }
  wire.ended(end);
}

function http(wire: WireReader, end: number, into: ReceivedHttp, wanted: WantedNames): void {
  while (wire.at < end) {
    const field = wire.field();
    if (field === 2) into.method = wire.text(end);
    else if (field === 3) {
      const pair = entry(wire, wire.nested(end), wanted);
      if (pair !== null) into.joined.push(pair);
    } else if (field === 4) into.path = wire.text(end);
    else if (field === 5) into.host = wire.text(end);
    else if (field === 13) headerMap(wire, wire.nested(end), into, wanted);
    else wire.skip();
  }
  wire.ended(end);
}

function headerMap(wire: WireReader, end: number, into: ReceivedHttp, wanted: WantedNames): void {
  while (wire.at < end) {
    if (wire.field() === 1) {
      into.hasRaw = true;
      header(wire, wire.nested(end), into.raw, wanted);
    } else wire.skip();
  }
  wire.ended(end);
}

function header(wire: WireReader, end: number, into: HeaderPair[], wanted: WantedNames): void {
  let name: string | null = null;
  let isNamed = false;
  let text: string | null = null;
  let raw: string | Uint8Array | null = null;
  while (wire.at < end) {
    const field = wire.field();
    if (field === 1) {
      // Of a header that nobody wants no value was read.
      if (isNamed) throw new RangeError("a header has two names");
      isNamed = true;
      name = wire.wanted(end, wanted);
    } else if (isNamed && name === null) wire.skip();
    else if (field === 2) text = wire.text(end);
    else if (field === 3) raw = wire.asciiOrBytes(end);
    else wire.skip();
  }
  wire.ended(end);
  // As in the general decoder: raw bytes stand whenever they are there, even empty.
  if (name !== null) into.push([name, raw ?? text ?? ""]);
}

/** An entry of a map of texts, or null when its name is not wanted. */
function entry(wire: WireReader, end: number, names: WantedNames): readonly [string, string] | null {
  let name: string | null = null;
  let value = "";
  while (wire.at < end) {
    const field = wire.field();
    if (field === 1) name = wire.wanted(end, names);
    else if (field === 2) value = wire.text(end);
    else wire.skip();
  }
  wire.ended(end);
  return name === null ? null : [name, value];
}

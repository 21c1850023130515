import protobuf from "protobufjs/minimal.js";
import type { HeaderPair } from "../pdp/decision.ts";
import type { NameFilter } from "./name-filter.ts";

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
  /** `context_extensions`: of names given twice the last counts. */
  readonly extensions = new Map<string, string>();
}

/** The HTTP part of a Check. */
export class ReceivedHttp {
  method = "";
  path = "";
  host = "";
  /** `header_map`, in order, as far as the filter wants it; names in lower case, values as text if ASCII, else as bytes. */
  readonly raw: HeaderPair[] = [];
  /** Whether `header_map` had any pair at all. */
  hasRaw = false;
  /** `headers`, which has one text for each name, as far as the filter wants it; names in lower case. */
  readonly joined: (readonly [name: string, value: string])[] = [];
}

const VARINT = 0;
const BYTES = 2;

/**
 * Reads a CheckRequest off the wire. It is what the general decoder would give, without an object for each message and
 * header of which most are never looked at. Singular messages that come twice are merged, unknown fields skipped.
 * @param wanted Headers whose names it cannot want are skipped unread.
 * @throws when the bytes are not such a message
 * @see protos/envoy/service/auth/v3/attribute_context.proto
 */
export function decodeCheckRequest(bytes: Buffer, wanted: NameFilter): ReceivedCheck {
  const check = new ReceivedCheck();
  const wire = new Wire(bytes);
  while (wire.at < bytes.length) {
    if (wire.field() === 1) attributes(wire, wire.nested(bytes.length), check, wanted);
    else wire.skip();
  }
  return check;
}

function attributes(wire: Wire, end: number, check: ReceivedCheck, wanted: NameFilter): void {
  while (wire.at < end) {
    const field = wire.field();
    if (field === 1) source(wire, wire.nested(end), check);
    else if (field === 2) destination(wire, wire.nested(end), check);
    else if (field === 4) request(wire, wire.nested(end), check, wanted);
    else if (field === 10) {
      const [name, value] = entry(wire, wire.nested(end));
      check.extensions.set(name, value);
    } else if (field === 12) tlsSession(wire, wire.nested(end), check);
    else wire.skip();
  }
  wire.ended(end);
}

function source(wire: Wire, end: number, check: ReceivedCheck): void {
  while (wire.at < end) {
    const field = wire.field();
    if (field === 4) check.principal = wire.text(end);
    else if (field === 5) check.certificate = wire.text(end);
    else wire.skip();
  }
  wire.ended(end);
}

function destination(wire: Wire, end: number, check: ReceivedCheck): void {
  while (wire.at < end) {
    const field = wire.field();
    if (field === 2) check.destinationService = wire.text(end);
    else if (field === 4) check.gateway = wire.text(end);
    else wire.skip();
  }
  wire.ended(end);
}

function tlsSession(wire: Wire, end: number, check: ReceivedCheck): void {
  while (wire.at < end) {
    if (wire.field() === 1) check.sni = wire.text(end);
    else wire.skip();
  }
  wire.ended(end);
}

function request(wire: Wire, end: number, check: ReceivedCheck, wanted: NameFilter): void {
  while (wire.at < end) {
    if (wire.field() === 2) {
      check.http ??= new ReceivedHttp();
      http(wire, wire.nested(end), check.http, wanted);
    } else wire.skip();
  }
  wire.ended(end);
}

function http(wire: Wire, end: number, into: ReceivedHttp, wanted: NameFilter): void {
  while (wire.at < end) {
    const field = wire.field();
    if (field === 2) into.method = wire.text(end);
    else if (field === 3) {
      const pair = entry(wire, wire.nested(end));
      if (wanted.mayHold(pair[0].length, pair[0].charCodeAt(0))) into.joined.push([lowerCase(pair[0]), pair[1]]);
    } else if (field === 4) into.path = wire.text(end);
    else if (field === 5) into.host = wire.text(end);
    else if (field === 13) headerMap(wire, wire.nested(end), into, wanted);
    else wire.skip();
  }
  wire.ended(end);
}

function headerMap(wire: Wire, end: number, into: ReceivedHttp, wanted: NameFilter): void {
  while (wire.at < end) {
    if (wire.field() === 1) {
      into.hasRaw = true;
      header(wire, wire.nested(end), into.raw, wanted);
    } else wire.skip();
  }
  wire.ended(end);
}

function header(wire: Wire, end: number, into: HeaderPair[], wanted: NameFilter): void {
  let name: string | null = "";
  let text: string | null = null;
  let raw: string | Uint8Array | null = null;
  while (wire.at < end) {
    const field = wire.field();
    if (field === 1) name = wire.wantedText(end, wanted);
    else if (field === 2) text = wire.text(end);
    else if (field === 3) raw = wire.asciiOrBytes(end);
    else wire.skip();
    if (name === null) {
      wire.at = end;
      return;
    }
  }
  wire.ended(end);
  // As in the general decoder: raw bytes stand whenever they are there, even empty.
  into.push([name, raw ?? text ?? ""]);
}

/** An entry of a map of texts. */
function entry(wire: Wire, end: number): [string, string] {
  let name = "";
  let value = "";
  while (wire.at < end) {
    const field = wire.field();
    if (field === 1) name = wire.text(end);
    else if (field === 2) value = wire.text(end);
    else wire.skip();
  }
  wire.ended(end);
  return [name, value];
}

/** Envoy sends names in lower case; others are made so. */
function lowerCase(name: string): string {
  for (let at = 0; at < name.length; at += 1) {
    const unit = name.charCodeAt(at);
    if (unit > 0x7f || (unit >= 0x41 && unit <= 0x5a)) return name.toLowerCase();
  }
  return name;
}

/** The library's reader, and bounds that it leaves open: nothing reaches beyond the message it lies in. */
class Wire {
  private readonly reader: protobuf.Reader;
  private readonly bytes: Buffer;
  private type = 0;

  constructor(bytes: Buffer) {
    this.bytes = bytes;
    this.reader = protobuf.Reader.create(bytes);
  }

  get at(): number {
    return this.reader.pos;
  }
  set at(position: number) {
    this.reader.pos = position;
  }

  /** The next field's number; 0, which no field has, when it is of another type than all that is read here. */
  field(): number {
    const tag = this.reader.uint32();
    this.type = tag & 7;
    return this.type === BYTES ? tag >>> 3 : 0;
  }

  /** Skips the field whose number was just read. */
  skip(): void {
    if (this.type === VARINT) this.reader.skip();
    else this.reader.skipType(this.type);
  }

  /** Where the length-delimited field that comes next ends. */
  nested(limit: number): number {
    const length = this.reader.uint32();
    const end = this.reader.pos + length;
    if (end > limit) throw new RangeError(`a field of ${length} bytes reaches beyond its message`);
    return end;
  }

  text(limit: number): string {
    const end = this.nested(limit);
    const start = this.reader.pos;
    this.reader.pos = end;
    return start === end ? "" : this.bytes.toString("utf8", start, end);
  }

  /** The name in lower case, or null when the filter cannot want it. */
  wantedText(limit: number, wanted: NameFilter): string | null {
    const end = this.nested(limit);
    const start = this.reader.pos;
    this.reader.pos = end;
    if (!wanted.mayHold(end - start, this.bytes[start] ?? 0)) return null;
    return lowerCase(this.bytes.toString("utf8", start, end));
  }

  asciiOrBytes(limit: number): string | Uint8Array {
    const end = this.nested(limit);
    const start = this.reader.pos;
    this.reader.pos = end;
    for (let at = start; at < end; at += 1) {
      if ((this.bytes[at] ?? 0) > 0x7f) return this.bytes.subarray(start, end);
    }
    return this.bytes.toString("latin1", start, end);
  }

  /** @throws when a field reached beyond the message that ends here */
  ended(end: number): void {
    if (this.reader.pos !== end) throw new RangeError("a field reaches beyond its message");
  }
}

import { createWantedNames } from "../wanted-names.ts";
import { WireReader } from "../wire-reader.ts";

/** An entry of Envoy's access log, as far as it is read. */
export class LogEntry {
  /** What the filter tells of the request, a `google.protobuf.BytesValue`; null when it was not asked. */
  report: Buffer | null = null;
  /** The stream goes on: there will be more entries of it. */
  isIntermediate = false;
  /** Of the answer; null when there was none. */
  status: number | null = null;
  /** Envoy's word for where the answer came from; may be empty. */
  details = "";
  /** Numbers of the response flags that are set, in ascending order. */
  readonly flags: number[] = [];
  /** What Envoy connected to; empty where it cannot tell. */
  address = "";
  port = 0;
  seconds = 0;
  nanos = 0;
  receivedBytes = 0;
  sentBytes = 0;
}

/** The filter's state as Envoy names it. */
const DECISION_STATE = createWantedNames(["wasm.sallyport.decision"], "exact");

/**
 * Reads the HTTP entries of a StreamAccessLogsMessage off the wire. It is what the general decoder would give, or a refusal, without an object for each
 * of an entry's messages. Connections' entries are skipped: the server is asked about each of those.
 * @throws when the bytes are not such a message
 * @see protos/envoy/service/accesslog/v3/als.proto
 */
export function decodeLogMessage(bytes: Buffer): readonly LogEntry[] {
  const entries: LogEntry[] = [];
  const wire = new WireReader(bytes);
  while (wire.at < bytes.length) {
    if (wire.field() === 2) httpLogs(wire, wire.nested(bytes.length), entries);
    else wire.skip();
  }
  return entries;
}

function httpLogs(wire: WireReader, end: number, into: LogEntry[]): void {
  while (wire.at < end) {
    if (wire.field() === 1) {
      const entry = new LogEntry();
      httpEntry(wire, wire.nested(end), entry);
      into.push(entry);
    } else wire.skip();
  }
  wire.ended(end);
}

function httpEntry(wire: WireReader, end: number, entry: LogEntry): void {
  while (wire.at < end) {
    const field = wire.field();
    if (field === 1) commonProperties(wire, wire.nested(end), entry);
    else if (field === 3) request(wire, wire.nested(end), entry);
    else if (field === 4) response(wire, wire.nested(end), entry);
    else wire.skip();
  }
  wire.ended(end);
}

function commonProperties(wire: WireReader, end: number, entry: LogEntry): void {
  while (wire.at < end) {
    const field = wire.field();
    if (field === 13) upstreamAddress(wire, wire.nested(end), entry);
    else if (field === 16) responseFlags(wire, wire.nested(end), entry.flags);
    else if (field === 21) filterState(wire, wire.nested(end), entry);
    else if (field === 23) duration(wire, wire.nested(end), entry);
    else if (wire.varintField() === 27) entry.isIntermediate = wire.uint64() !== 0;
    else wire.skip();
  }
  wire.ended(end);
}

function upstreamAddress(wire: WireReader, end: number, entry: LogEntry): void {
  while (wire.at < end) {
    if (wire.field() === 1) socketAddress(wire, wire.nested(end), entry);
    else wire.skip();
  }
  wire.ended(end);
}

function socketAddress(wire: WireReader, end: number, entry: LogEntry): void {
  while (wire.at < end) {
    if (wire.field() === 2) entry.address = wire.text(end);
    else if (wire.varintField() === 3) entry.port = wire.uint32();
    else wire.skip();
  }
  wire.ended(end);
}

/** All of them are flags but one, which is a message. */
function responseFlags(wire: WireReader, end: number, flags: number[]): void {
  while (wire.at < end) {
    wire.field();
    const flag = wire.varintField();
    if (flag === 0) wire.skip();
    else if (wire.uint64() !== 0) flags.push(flag);
  }
  wire.ended(end);
}

/** An entry of the map: a name and an Any. */
function filterState(wire: WireReader, end: number, entry: LogEntry): void {
  let isOurs = false;
  let value: Buffer | null = null;
  while (wire.at < end) {
    const field = wire.field();
    if (field === 1) isOurs = wire.wanted(end, DECISION_STATE) !== null;
    else if (field === 2) value = anyValue(wire, wire.nested(end), value);
    else wire.skip();
  }
  wire.ended(end);
  if (isOurs) entry.report = value;
}

function anyValue(wire: WireReader, end: number, before: Buffer | null): Buffer | null {
  let value = before;
  while (wire.at < end) {
    if (wire.field() === 2) value = wire.part(end);
    else wire.skip();
  }
  wire.ended(end);
  return value;
}

function duration(wire: WireReader, end: number, entry: LogEntry): void {
  while (wire.at < end) {
    wire.field();
    const field = wire.varintField();
    if (field === 1) entry.seconds = wire.uint64();
    else if (field === 2) entry.nanos = wire.uint32();
    else wire.skip();
  }
  wire.ended(end);
}

function request(wire: WireReader, end: number, entry: LogEntry): void {
  while (wire.at < end) {
    wire.field();
    if (wire.varintField() === 12) entry.receivedBytes = wire.uint64();
    else wire.skip();
  }
  wire.ended(end);
}

function response(wire: WireReader, end: number, entry: LogEntry): void {
  while (wire.at < end) {
    const field = wire.field();
    if (field === 1) responseCode(wire, wire.nested(end), entry);
    else if (field === 6) entry.details = wire.text(end);
    else if (wire.varintField() === 3) entry.sentBytes = wire.uint64();
    else wire.skip();
  }
  wire.ended(end);
}

function responseCode(wire: WireReader, end: number, entry: LogEntry): void {
  while (wire.at < end) {
    wire.field();
    if (wire.varintField() === 1) entry.status = wire.uint32();
    else wire.skip();
  }
  wire.ended(end);
}

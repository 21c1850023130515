/** Asks the server's own `Check` while there is no right to decide here. What does not come back as an allow is a refusal. */
import { bytesOf, constant, GIVEN, GIVEN_LENGTH, given, givenLength, lengthOf, release } from "./bytes-of";
import { continueStream, getBuffer, getProperty, GRPC_MESSAGE, grpcCall, REQUEST_STREAM, sendResponse, setContext } from "./host-calls";
import { fail } from "./answer";
import * as q from "./question";
import { checkCluster } from "./settings";
import * as w from "./writer";

const SERVICE: usize = constant("envoy.service.auth.v3.Authorization");
const METHOD: usize = constant("Check");
const OWN: usize = constant("connection\0uri_san_local_certificate");
/** Envoy's own timeout of a Check is of this order. */
const TIMEOUT_MS: u32 = 500;
/** Checks in flight from one worker; beyond it requests are refused at once. */
const MAX_IN_FLIGHT: u32 = 1_024;
/** [token, context] of each. */
const flights: usize = memory.data(8 * 1024, 8);
let count: u32 = 0;
const token: usize = memory.data(4, 4);
const NO_PAIRS: usize = memory.data(4, 4);
const NO_GRPC_STATUS: i32 = -1;

/** Sends the request that was read; false when it cannot be asked. `port` is the matched route's. */
export function ask(context: u32, port: usize, portLength: usize): bool {
  if (count == MAX_IN_FLIGHT) return false;
  const service = envoyGrpc();
  if (!writeCheck(port, portLength)) return false;
  const failed = grpcCall(
    service,
    serviceLength,
    bytesOf(SERVICE),
    lengthOf(SERVICE),
    bytesOf(METHOD),
    lengthOf(METHOD),
    NO_PAIRS,
    4,
    w.buffer,
    w.written(),
    TIMEOUT_MS,
    token,
  );
  if (failed != 0) return false;
  store<u32>(flights + (<usize>count << 3), load<u32>(token));
  store<u32>(flights + (<usize>count << 3) + 4, context);
  count++;
  return true;
}

let serviceMessage: usize = 0;
let serviceLength: usize = 0;
let serviceOf: usize = 0;

/** A GrpcService that names the cluster: {envoy_grpc: {cluster_name}}. */
function envoyGrpc(): usize {
  if (serviceOf != checkCluster) {
    const length = lengthOf(checkCluster);
    w.begin();
    w.putByte(0x0a);
    putVarint(<u32>(sizeOf(<u32>length) + length + 1));
    w.putByte(0x0a);
    putVarint(<u32>length);
    w.putBytes(bytesOf(checkCluster), length);
    if (serviceMessage != 0) heap.free(serviceMessage);
    serviceLength = w.written();
    serviceMessage = heap.alloc(serviceLength);
    memory.copy(serviceMessage, w.buffer, serviceLength);
    serviceOf = checkCluster;
  }
  return serviceMessage;
}

/** Bytes of a varint. */
function sizeOf(value: u32): usize {
  return value < 0x80 ? 1 : value < 0x4000 ? 2 : value < 0x200000 ? 3 : 4;
}

function putVarint(value: u32): void {
  let rest = value;
  while (rest >= 0x80) {
    w.putByte((rest & 0x7f) | 0x80);
    rest >>>= 7;
  }
  w.putByte(rest);
}

/** Bytes of a field with a length. All tags here take one byte. */
function fieldSize(length: usize): usize {
  return 1 + sizeOf(<u32>length) + length;
}

function putField(tag: u32, address: usize, length: usize): void {
  w.putByte(tag);
  putVarint(<u32>length);
  w.putBytes(address, length);
}

const PORT_KEY: usize = constant("sallyport.port");

/** False when it is too large. CheckRequest: who asks, the gateway, the request with its raw headers, and the route's port. @see protos/envoy/service/auth/v3 */
function writeCheck(port: usize, portLength: usize): bool {
  let own: usize = 0;
  let ownLength: usize = 0;
  if (getProperty(bytesOf(OWN), lengthOf(OWN), GIVEN, GIVEN_LENGTH) == 0) {
    own = given();
    ownLength = givenLength();
    store<u32>(GIVEN, 0);
  }
  const pairs = load<u32>(q.pairs);
  let map: usize = 0;
  for (let i: u32 = 0; i < pairs; i++) map += fieldSize(pairSize(i));
  const http =
    fieldSize(q.methodLength) + fieldSize(q.pathLength) + fieldSize(q.authorityLength) + fieldSize(map);
  const source = fieldSize(q.principalLength);
  const destination = fieldSize(ownLength);
  const request = fieldSize(http);
  const extension = fieldSize(lengthOf(PORT_KEY)) + fieldSize(portLength);
  const attributes = fieldSize(source) + fieldSize(destination) + fieldSize(request) + fieldSize(extension);
  if (attributes + 8 > w.CAPACITY) {
    if (own != 0) heap.free(own);
    return false;
  }
  w.begin();
  w.putByte(0x0a);
  putVarint(<u32>attributes);
  w.putByte(0x0a);
  putVarint(<u32>source);
  putField(0x22, q.principal, q.principalLength);
  w.putByte(0x12);
  putVarint(<u32>destination);
  putField(0x22, own, ownLength);
  w.putByte(0x22);
  putVarint(<u32>request);
  w.putByte(0x12);
  putVarint(<u32>http);
  putField(0x12, q.method, q.methodLength);
  putField(0x22, q.path, q.pathLength);
  putField(0x2a, q.authority, q.authorityLength);
  // header_map (13): {headers: [{key, raw_value}]}
  w.putByte(0x6a);
  putVarint(<u32>map);
  let text = q.pairs + 4 + (<usize>pairs << 3);
  for (let i: u32 = 0; i < pairs; i++) {
    const nameLength = <usize>load<u32>(q.pairs + 4 + (<usize>i << 3));
    const valueLength = <usize>load<u32>(q.pairs + 8 + (<usize>i << 3));
    w.putByte(0x0a);
    putVarint(<u32>pairSize(i));
    putField(0x0a, text, nameLength);
    putField(0x1a, text + nameLength + 1, valueLength);
    text += nameLength + valueLength + 2;
  }
  w.putByte(0x52);
  putVarint(<u32>extension);
  putField(0x0a, bytesOf(PORT_KEY), lengthOf(PORT_KEY));
  putField(0x12, port, portLength);
  if (own != 0) heap.free(own);
  return true;
}

function pairSize(i: u32): usize {
  return fieldSize(load<u32>(q.pairs + 4 + (<usize>i << 3))) + fieldSize(load<u32>(q.pairs + 8 + (<usize>i << 3)));
}

/** The context that waits for this token, which it no longer does; 0 for none. */
function landed(answeredToken: u32): u32 {
  for (let i: u32 = 0; i < count; i++) {
    const flight = flights + (<usize>i << 3);
    if (load<u32>(flight) != answeredToken) continue;
    const context = load<u32>(flight + 4);
    count--;
    store<u64>(flight, load<u64>(flights + (<usize>count << 3)));
    return context;
  }
  return 0;
}

/** A stream has ended: nobody waits for its answer. */
export function ended(context: u32): void {
  for (let i: u32 = 0; i < count; i++) {
    if (load<u32>(flights + (<usize>i << 3) + 4) == context) store<u32>(flights + (<usize>i << 3) + 4, 0);
  }
}

/** There will be no answer. */
export function lost(answeredToken: u32): void {
  const context = landed(answeredToken);
  if (context == 0 || setContext(context) != 0) return;
  fail();
}

/** The answer: an allow lets the request go on, anything else refuses it as the server says. */
export function answered(answeredToken: u32, length: u32): void {
  const context = landed(answeredToken);
  if (context == 0) return;
  if (getBuffer(GRPC_MESSAGE, 0, length, GIVEN, GIVEN_LENGTH) != 0) unreachable();
  const message = given();
  readAnswer(message, message + givenLength());
  if (setContext(context) == 0) {
    if (allowed) continueStream(REQUEST_STREAM);
    else if (!sendAnswer()) fail();
  }
  release();
}

let allowed: bool = false;
let broken: bool = false;
let httpStatus: u32 = 0;
let body: usize = 0;
let bodyLength: usize = 0;
let headersFrom: usize = 0;
let headersTo: usize = 0;
let cursor: usize = 0;
let limit: usize = 0;

function varint(): u32 {
  let value: u32 = 0;
  let shift: u32 = 0;
  while (cursor < limit && shift < 35) {
    const byte = <u32>load<u8>(cursor++);
    if (shift < 32) value |= (byte & 0x7f) << shift;
    if (byte < 0x80) return value;
    shift += 7;
  }
  broken = true;
  cursor = limit;
  return 0;
}

/** The length of a nested field, which ends where the message does or before. */
function nested(end: usize): usize {
  const length = <usize>varint();
  if (length > end - cursor) {
    broken = true;
    cursor = end;
    return 0;
  }
  return length;
}

/** Skips the field of this tag. */
function skip(tag: u32, end: usize): void {
  const kind = tag & 7;
  if (kind == 0) varint();
  else if (kind == 2) {
    // Not `+=`: reading the length moves the cursor.
    const length = nested(end);
    cursor += length;
  } else if (kind == 5 && end - cursor >= 4) cursor += 4;
  else if (kind == 1 && end - cursor >= 8) cursor += 8;
  else {
    broken = true;
    cursor = end;
  }
}

/** CheckResponse: an allow is status code 0 together with ok_response, as our server sends it. */
function readAnswer(from: usize, to: usize): void {
  cursor = from;
  limit = to;
  broken = false;
  httpStatus = 0;
  bodyLength = 0;
  headersFrom = 0;
  headersTo = 0;
  let code: u32 = 0;
  let ok = false;
  while (cursor < to) {
    const tag = varint();
    if (tag == 0x0a) code = readNumber(cursorEnd(to));
    else if (tag == 0x12 || tag == 0x2a) readHttp(cursorEnd(to));
    else if (tag == 0x1a) {
      ok = true;
      cursor = cursorEnd(to);
    } else skip(tag, to);
  }
  allowed = !broken && ok && code == 0 && httpStatus == 0;
}

/** Where the nested field that begins here ends. */
function cursorEnd(end: usize): usize {
  const length = nested(end);
  return cursor + length;
}

/** Field 1 of a message, a number. */
function readNumber(end: usize): u32 {
  let number: u32 = 0;
  while (cursor < end) {
    const tag = varint();
    if (tag == 0x08) number = varint();
    else skip(tag, end);
  }
  return number;
}

/** DeniedHttpResponse: {status: {code}, headers, body}. */
function readHttp(end: usize): void {
  httpStatus = 403;
  headersFrom = cursor;
  headersTo = end;
  while (cursor < end) {
    const tag = varint();
    if (tag == 0x0a) httpStatus = readNumber(cursorEnd(end));
    else if (tag == 0x1a) {
      bodyLength = nested(end);
      body = cursor;
      cursor += bodyLength;
    } else skip(tag, end);
  }
}

/** Pairs of the answer's headers, in the form of `getPairs`. */
const MAX_HEADERS: u32 = 16;
const spans: usize = memory.data(16 * 16, 8);

/** Answers as the server says; false when it does not say how. */
function sendAnswer(): bool {
  if (broken || httpStatus < 400 || httpStatus > 599) return false;
  let found: u32 = 0;
  cursor = headersFrom;
  while (cursor < headersTo && found < MAX_HEADERS) {
    const tag = varint();
    if (tag != 0x12) {
      skip(tag, headersTo);
      continue;
    }
    const end = cursorEnd(headersTo);
    // HeaderValueOption: {header: {key, value}}
    while (cursor < end) {
      const inner = varint();
      if (inner != 0x0a) {
        skip(inner, end);
        continue;
      }
      readPair(cursorEnd(end), spans + (<usize>found << 4));
      found++;
    }
  }
  w.begin();
  w.putU32(found);
  for (let i: u32 = 0; i < found; i++) {
    w.putU32(load<u32>(spans + (<usize>i << 4) + 4));
    w.putU32(load<u32>(spans + (<usize>i << 4) + 12));
  }
  for (let i: u32 = 0; i < found; i++) {
    const span = spans + (<usize>i << 4);
    w.putBytes(<usize>load<u32>(span), load<u32>(span + 4));
    w.putByte(0);
    w.putBytes(<usize>load<u32>(span + 8), load<u32>(span + 12));
    w.putByte(0);
  }
  return sendResponse(httpStatus, 0, 0, body, bodyLength, w.buffer, w.written(), NO_GRPC_STATUS) == 0;
}

/** HeaderValue: {key, value}, as addresses and lengths. */
function readPair(end: usize, span: usize): void {
  memory.fill(span, 0, 16);
  while (cursor < end) {
    const tag = varint();
    if (tag != 0x0a && tag != 0x12) {
      skip(tag, end);
      continue;
    }
    const length = nested(end);
    const to = span + (tag == 0x0a ? 0 : 8);
    store<u32>(to, <u32>cursor);
    store<u32>(to + 4, <u32>length);
    cursor += length;
  }
}

/** The CheckResponse that came: an allow, or the refusal as the server wants it told. @see protos/envoy/service/auth/v3 */
import { bytesOf, constant, lengthOf } from "./bytes-of";
import { sendResponse } from "./host-calls";
import * as m from "./message";
import { addPair, clearPairs, writePairs } from "./pairs";
import * as w from "./writer";

/** As Envoy calls answers of ext_authz. */
const DENIED: usize = constant("sallyport_denied");
const NO_GRPC_STATUS: i32 = -1;

/** Status code 0 together with ok_response, as our server sends an allow. */
export let allowed: bool = false;
let httpStatus: u32 = 0;
let body: usize = 0;
let bodyLength: usize = 0;
let headersFrom: usize = 0;
let headersTo: usize = 0;

/** Reads the message at these addresses, where it must stay until `sendAnswer`. */
export function readAnswer(from: usize, to: usize): void {
  m.readFrom(from, to);
  httpStatus = 0;
  bodyLength = 0;
  headersFrom = 0;
  headersTo = 0;
  let code: u32 = 0;
  let ok = false;
  while (m.cursor < to) {
    const tag = m.varint();
    if (tag == 0x0a) code = m.readNumber(m.nestedEnd(to));
    else if (tag == 0x12 || tag == 0x2a) readHttp(m.nestedEnd(to));
    else if (tag == 0x1a) {
      ok = true;
      m.moveTo(m.nestedEnd(to));
    } else m.skip(tag, to);
  }
  allowed = !m.broken && ok && code == 0 && httpStatus == 0;
}

/** DeniedHttpResponse: {status: {code}, headers, body}. */
function readHttp(end: usize): void {
  httpStatus = 403;
  headersFrom = m.cursor;
  headersTo = end;
  while (m.cursor < end) {
    const tag = m.varint();
    if (tag == 0x0a) httpStatus = m.readNumber(m.nestedEnd(end));
    else if (tag == 0x1a) {
      bodyLength = m.nested(end);
      body = m.cursor;
      m.moveTo(body + bodyLength);
    } else m.skip(tag, end);
  }
}

/** Answers as the server says; false when it does not say how. */
export function sendAnswer(): bool {
  if (m.broken || httpStatus < 400 || httpStatus > 599) return false;
  clearPairs();
  m.moveTo(headersFrom);
  while (m.cursor < headersTo) {
    const tag = m.varint();
    if (tag == 0x12) readOption(m.nestedEnd(headersTo));
    else m.skip(tag, headersTo);
  }
  w.begin();
  writePairs();
  return sendResponse(httpStatus, bytesOf(DENIED), lengthOf(DENIED), body, bodyLength, w.buffer, w.written(), NO_GRPC_STATUS) == 0;
}

/** HeaderValueOption: {header: {key, value}}. */
function readOption(end: usize): void {
  while (m.cursor < end) {
    const tag = m.varint();
    if (tag == 0x0a) readPair(m.nestedEnd(end));
    else m.skip(tag, end);
  }
}

function readPair(end: usize): void {
  let name: usize = 0;
  let nameLength: usize = 0;
  let value: usize = 0;
  let valueLength: usize = 0;
  while (m.cursor < end) {
    const tag = m.varint();
    if (tag != 0x0a && tag != 0x12) {
      m.skip(tag, end);
      continue;
    }
    const length = m.nested(end);
    if (tag == 0x0a) {
      name = m.cursor;
      nameLength = length;
    } else {
      value = m.cursor;
      valueLength = length;
    }
    m.moveTo(m.cursor + length);
  }
  addPair(name, nameLength, value, valueLength);
}

/** Puts a request into the engine's question, as src/pdp/question.ts and src/server/check-request.ts do for the server. */
import { equals, isText } from "../engine/bytes";
import * as L from "../engine/layout";
import { at, field, question, refBytes, refLength, reserveQuestion } from "../engine/state";
import { bytesOf, constant, GIVEN, GIVEN_LENGTH, given, givenLength, lengthOf, release } from "./bytes-of";
import { getPairs, getProperty, REQUEST_HEADERS } from "./host-calls";

/**
 * Who asks: all URI SANs of the peer's certificate, with commas between them, which no identity holds (src/generate/envoy-parts/seat.ts). Without
 * one there is no identity; that a certificate was shown all the same is told by its other names, and several by the first, as Envoy tells the server.
 */
const PEER: usize = constant("filter_state\0sallyport.peer");
const URI_SAN: usize = constant("connection\0uri_san_peer_certificate");
const DNS_SAN: usize = constant("connection\0dns_san_peer_certificate");
const SUBJECT: usize = constant("connection\0subject_peer_certificate");
const NOT_URI_SAN: usize = constant("not the certificate's URI SAN: ");
/** The root id of a listener's plugin is the port that its routes lead to. */
const ROOT_ID: usize = constant("plugin_root_id");

/** The request as it came: addresses within `pairs`, which stays until `forget`. */
export let pairs: usize = 0;
export let pairsLength: usize = 0;
export let authority: usize = 0;
export let authorityLength: usize = 0;
export let method: usize = 0;
export let methodLength: usize = 0;
export let path: usize = 0;
export let pathLength: usize = 0;
export let principal: usize = 0;
export let principalLength: usize = 0;
/** What the matched route leads to, as text. */
export let port: usize = 0;
export let portLength: usize = 0;
/** Headers that only the record names. */
export let requestId: usize = 0;
export let requestIdLength: usize = 0;
export let traceparent: usize = 0;
export let traceparentLength: usize = 0;

let listeners: u32 = 0;

/** Tells of one more listener that this run decides for. */
export function countListener(): void {
  listeners++;
  if (port != 0) heap.free(port);
  port = 0;
}

/** With a single listener the port is asked for once. */
function readPort(): void {
  if (port != 0) {
    if (listeners == 1) return;
    heap.free(port);
  }
  if (getProperty(bytesOf(ROOT_ID), lengthOf(ROOT_ID), GIVEN, GIVEN_LENGTH) != 0) unreachable();
  port = given();
  portLength = givenLength();
  store<u32>(GIVEN, 0);
}

/** Reads the route's port, the peer's URI SAN and the headers. */
export function readRequest(): void {
  readPort();
  principalLength = 0;
  readPrincipal();
  if (getPairs(REQUEST_HEADERS, GIVEN, GIVEN_LENGTH) != 0) unreachable();
  pairs = given();
  pairsLength = givenLength();
  store<u32>(GIVEN, 0);
  authorityLength = 0;
  methodLength = 0;
  pathLength = 0;
  requestIdLength = 0;
  traceparentLength = 0;
  const count = load<u32>(pairs);
  let text = pairs + 4 + (<usize>count << 3);
  for (let i: u32 = 0; i < count; i++) {
    const name = text;
    const nameLength = <usize>load<u32>(pairs + 4 + (<usize>i << 3));
    const value = name + nameLength + 1;
    const valueLength = <usize>load<u32>(pairs + 8 + (<usize>i << 3));
    text = value + valueLength + 1;
    // Pseudo-headers come first and once: Envoy's codecs refuse anything else.
    if (load<u8>(name) != 58) {
      readForRecord(name, nameLength, value, valueLength);
      continue;
    }
    if (isText(name, nameLength, ":authority")) {
      authority = value;
      authorityLength = valueLength;
    } else if (isText(name, nameLength, ":method")) {
      method = value;
      methodLength = valueLength;
    } else if (isText(name, nameLength, ":path")) {
      path = value;
      pathLength = valueLength;
    }
  }
}

function readForRecord(name: usize, nameLength: usize, value: usize, valueLength: usize): void {
  if (nameLength == 12 && requestIdLength == 0 && isText(name, nameLength, "x-request-id")) {
    requestId = value;
    requestIdLength = valueLength;
  } else if (nameLength == 11 && traceparentLength == 0 && isText(name, nameLength, "traceparent")) {
    traceparent = value;
    traceparentLength = valueLength;
  }
}

function readPrincipal(): void {
  if (!readPeer(PEER)) {
    if (readPeer(DNS_SAN) || readPeer(SUBJECT)) doubtPrincipal();
    return;
  }
  for (let i: usize = 0; i < principalLength; i++) {
    if (load<u8>(principal + i) != 44) continue;
    dropPrincipal();
    if (readPeer(URI_SAN)) doubtPrincipal();
    return;
  }
}

function dropPrincipal(): void {
  heap.free(principal);
  principalLength = 0;
}

/** False when there is no such name. */
function readPeer(property: usize): bool {
  if (getProperty(bytesOf(property), lengthOf(property), GIVEN, GIVEN_LENGTH) != 0) return false;
  if (givenLength() == 0) {
    release();
    return false;
  }
  principal = given();
  principalLength = givenLength();
  store<u32>(GIVEN, 0);
  return true;
}

/** Another name may spell a SPIFFE ID: marked, it is none, and the record says what it was (as src/server/principal.ts does). */
function doubtPrincipal(): void {
  const mark = lengthOf(NOT_URI_SAN);
  const marked = heap.alloc(mark + principalLength);
  memory.copy(marked, bytesOf(NOT_URI_SAN), mark);
  memory.copy(marked + mark, principal, principalLength);
  heap.free(principal);
  principal = marked;
  principalLength += mark;
}

/** Lets go of what `readRequest` read. */
export function forgetRequest(): void {
  if (principalLength != 0) dropPrincipal();
  heap.free(pairs);
  release();
}

/** Does the engine look at headers of this name? */
function isRead(name: usize, length: usize): bool {
  if (isText(name, length, "host") || isText(name, length, "upgrade") || isText(name, length, "connection")) return true;
  if (isText(name, length, "content-type") || isText(name, length, ":protocol")) return true;
  const count = field(L.H_HEADER_COUNT);
  const list = at(field(L.H_HEADERS));
  for (let i: u32 = 0; i < count; i++) {
    const ref = load<u32>(list + (<usize>i << 2));
    if (<usize>refLength(ref) == length && equals(refBytes(ref), name, length)) return true;
  }
  return false;
}

/** Writes the question of the request that was read. */
export function writeQuestion(): void {
  const texts = principalLength + authorityLength + portLength + methodLength + pathLength;
  // Each header takes no more here than it took in the pairs.
  reserveQuestion(L.Q_TEXT + <u32>(texts + pairsLength));
  store<u32>(question + L.Q_KIND, L.KIND_HTTP);
  store<u32>(question + L.Q_PRINCIPAL, <u32>principalLength);
  store<u32>(question + L.Q_HOST, <u32>authorityLength);
  store<u32>(question + L.Q_PORT, <u32>portLength);
  store<u32>(question + L.Q_METHOD, <u32>methodLength);
  store<u32>(question + L.Q_PATH, <u32>pathLength);
  let p = question + L.Q_TEXT;
  p = append(p, principal, principalLength);
  p = append(p, authority, authorityLength);
  p = append(p, port, portLength);
  p = append(p, method, methodLength);
  p = append(p, path, pathLength);
  const count = load<u32>(pairs);
  let text = pairs + 4 + (<usize>count << 3);
  let taken: u32 = 0;
  for (let i: u32 = 0; i < count; i++) {
    const nameLength = <usize>load<u32>(pairs + 4 + (<usize>i << 3));
    const valueLength = <usize>load<u32>(pairs + 8 + (<usize>i << 3));
    const name = text;
    text = name + nameLength + 1 + valueLength + 1;
    if (!isRead(name, nameLength)) continue;
    store<u32>(p, <u32>nameLength);
    store<u32>(p + 4, <u32>valueLength);
    p = append(p + 8, name, nameLength);
    p = append(p, name + nameLength + 1, valueLength);
    taken++;
  }
  store<u32>(question + L.Q_HEADERS, taken);
}

function append(to: usize, from: usize, length: usize): usize {
  memory.copy(to, from, length);
  return to + length;
}

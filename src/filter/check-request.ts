/** The CheckRequest of the request that was read. @see protos/envoy/service/auth/v3 */
import { bytesOf, constant, GIVEN, GIVEN_LENGTH, given, givenLength, lengthOf, release } from "./bytes-of";
import { getProperty } from "./host-calls";
import { fieldSize, openField, putField } from "./message";
import * as q from "./question";
import * as w from "./writer";

const OWN: usize = constant("connection\0uri_san_local_certificate");
const PORT_KEY: usize = constant("sallyport.port");

/** Writes who asks, the gateway, the request with its raw headers, and the route's port. False when it is too large. */
export function writeCheck(): bool {
  const hasOwn = getProperty(bytesOf(OWN), lengthOf(OWN), GIVEN, GIVEN_LENGTH) == 0;
  const written = writeAttributes(given(), hasOwn ? givenLength() : 0);
  if (hasOwn) release();
  return written;
}

function writeAttributes(own: usize, ownLength: usize): bool {
  const pairs = load<u32>(q.pairs);
  let map: usize = 0;
  for (let i: u32 = 0; i < pairs; i++) map += fieldSize(pairSize(i));
  const http = fieldSize(q.methodLength) + fieldSize(q.pathLength) + fieldSize(q.authorityLength) + fieldSize(map);
  const source = fieldSize(q.principalLength);
  const destination = fieldSize(ownLength);
  const request = fieldSize(http);
  const extension = fieldSize(lengthOf(PORT_KEY)) + fieldSize(q.portLength);
  const attributes = fieldSize(source) + fieldSize(destination) + fieldSize(request) + fieldSize(extension);
  if (attributes + 8 > w.CAPACITY) return false;
  w.begin();
  openField(0x0a, attributes);
  openField(0x0a, source);
  putField(0x22, q.principal, q.principalLength);
  openField(0x12, destination);
  putField(0x22, own, ownLength);
  openField(0x22, request);
  openField(0x12, http);
  putField(0x12, q.method, q.methodLength);
  putField(0x22, q.path, q.pathLength);
  putField(0x2a, q.authority, q.authorityLength);
  // header_map (13): {headers: [{key, raw_value}]}
  openField(0x6a, map);
  let text = q.pairs + 4 + (<usize>pairs << 3);
  for (let i: u32 = 0; i < pairs; i++) {
    const nameLength = <usize>load<u32>(q.pairs + 4 + (<usize>i << 3));
    const valueLength = <usize>load<u32>(q.pairs + 8 + (<usize>i << 3));
    openField(0x0a, pairSize(i));
    putField(0x0a, text, nameLength);
    putField(0x1a, text + nameLength + 1, valueLength);
    text += nameLength + valueLength + 2;
  }
  openField(0x52, extension);
  putField(0x0a, bytesOf(PORT_KEY), lengthOf(PORT_KEY));
  putField(0x12, q.port, q.portLength);
  return true;
}

function pairSize(i: u32): usize {
  return fieldSize(load<u32>(q.pairs + 4 + (<usize>i << 3))) + fieldSize(load<u32>(q.pairs + 8 + (<usize>i << 3)));
}

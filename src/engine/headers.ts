/** The request's raw header pairs: upgrades, content type, `host`, and the conditions of rules. @see docs/semantics.md §4, §7 */
import { equals, find, isDigit, isLower, isText, isUpper, isUtf8, toLower } from "./bytes";
import * as L from "./layout";
import { DOUBT, FALSE, TRUE } from "./path";
import { at, field, headersOut, headerState, refBytes, refLength } from "./state";

/** Pairs as [name length u32, value length u32, name, value]. */
let pairs: usize = 0;
let pairCount: u32 = 0;
let stamp: u32 = 0;
export let dependedHeaders: u32 = 0;

/** The protocol the request asks to upgrade to: length 0 with `upgrading` set = one that no rule can name. */
export let upgrading: bool = false;
const protocolBuffer: usize = memory.data(64);
let protocolLength: usize = 0;

export function setHeaders(address: usize, count: u32): void {
  pairs = address;
  pairCount = count;
  dependedHeaders = 0;
  stamp++;
  if (stamp == 0) {
    memory.fill(headerState, 0, <usize>field(L.H_HEADER_COUNT) * 16);
    stamp = 1;
  }
}

/** The value of the last found pair. */
export let value: usize = 0;
export let valueLength: usize = 0;
let cursor: usize = 0;
let remaining: u32 = 0;

export function rewind(): void {
  cursor = pairs;
  remaining = pairCount;
}

/** Steps to the next pair of this name; false at the end. */
export function next(name: string): bool {
  while (remaining > 0) {
    remaining--;
    const nameLength = <usize>load<u32>(cursor);
    const start = cursor + 8;
    value = start + nameLength;
    valueLength = load<u32>(cursor + 4);
    cursor = value + valueLength;
    if (isText(start, nameLength, name)) return true;
  }
  return false;
}

function isSpace(c: u32): bool {
  return c == 32 || c == 9;
}

/** Letters, digits, the other tchars of RFC 9110 §5.6.2, and `/` between name and version. */
function isProtocolByte(c: u32): bool {
  if (isLower(c) || isUpper(c) || isDigit(c)) return true;
  if (c == 33 || c == 47 || c == 124 || c == 126) return true;
  if (c >= 35 && c <= 39) return true;
  return c == 42 || c == 43 || c == 45 || c == 46 || c == 94 || c == 95 || c == 96;
}

/** Does a comma list hold the token `upgrade`, in any case? */
function holdsUpgrade(): bool {
  let i: usize = 0;
  while (i <= valueLength) {
    let end = i;
    while (end < valueLength && load<u8>(value + end) != 44) end++;
    let from = i;
    let to = end;
    while (from < to && isSpace(load<u8>(value + from))) from++;
    while (to > from && isSpace(load<u8>(value + to - 1))) to--;
    if (to - from == 7) {
      let same = true;
      for (let j: usize = 0; j < 7; j++) {
        if (toLower(load<u8>(value + from + j)) != <u32>"upgrade".charCodeAt(<i32>j)) same = false;
      }
      if (same) return true;
    }
    i = end + 1;
  }
  return false;
}

/** Reads whether the request upgrades, and to what. */
export function readUpgrade(): void {
  upgrading = false;
  protocolLength = 0;
  rewind();
  if (!next("upgrade")) return;
  const first = value;
  const length = valueLength;
  const repeated = next("upgrade");
  rewind();
  while (next("connection")) {
    if (holdsUpgrade()) upgrading = true;
  }
  if (!upgrading || repeated) return;
  let from: usize = 0;
  let to = length;
  while (from < to && isSpace(load<u8>(first + from))) from++;
  while (to > from && isSpace(load<u8>(first + to - 1))) to--;
  if (to - from > 63) return;
  for (let i = from; i < to; i++) {
    const c = <u32>load<u8>(first + i);
    if (!isProtocolByte(c)) return;
    store<u8>(protocolBuffer + i - from, <u8>toLower(c));
  }
  protocolLength = to - from;
}

/** Does the rule's list of upgrades (an offset to [count u32, refs]) name the request's protocol? */
export function namesProtocol(list: u32): bool {
  if (protocolLength == 0 || list == 0) return false;
  const address = at(list);
  const count = load<u32>(address);
  for (let i: u32 = 0; i < count; i++) {
    const ref = load<u32>(address + 4 + (<usize>i << 2));
    if (<usize>refLength(ref) == protocolLength && equals(refBytes(ref), protocolBuffer, protocolLength)) return true;
  }
  return false;
}

/** Exactly one `content-type`, beginning with `application/grpc`. */
export function isGrpc(): bool {
  rewind();
  if (!next("content-type")) return false;
  const grpc = valueLength >= 16 && isText(value, 16, "application/grpc");
  return grpc && !next("content-type");
}

/** Marks a header the decision depends on and finds its pair once a decision. Returns the address of its state. */
export function depend(id: u32): usize {
  const state = headerState + ((<usize>id) << 4);
  if (load<u32>(state) == stamp) return state;
  store<u32>(state, stamp);
  store<u32>(headersOut + ((<usize>dependedHeaders) << 2), id);
  dependedHeaders++;
  const ref = load<u32>(at(field(L.H_HEADERS)) + ((<usize>id) << 2));
  const nameLength = <usize>refLength(ref);
  let found = FALSE;
  let p = pairs;
  for (let i: u32 = 0; i < pairCount; i++) {
    const n = <usize>load<u32>(p);
    const v = <usize>load<u32>(p + 4);
    if (n == nameLength && equals(p + 8, refBytes(ref), n)) {
      if (found != FALSE) {
        found = DOUBT;
        break;
      }
      found = TRUE;
      store<u32>(state + 8, <u32>(p + 8 + n));
      store<u32>(state + 12, <u32>v);
    }
    p += 8 + n + v;
  }
  if (found == TRUE) {
    const address = <usize>load<u32>(state + 8);
    const length = <usize>load<u32>(state + 12);
    if (find(44, address, length) < length || !isUtf8(address, length)) found = DOUBT;
  }
  store<u32>(state + 4, found);
  return state;
}

/** One header condition: FALSE, TRUE or DOUBT. `values` = address of `count` refs. */
export function evaluateHeader(id: u32, values: usize, count: u32): u32 {
  const state = depend(id);
  const found = load<u32>(state + 4);
  if (found != TRUE) return found;
  const address = <usize>load<u32>(state + 8);
  const length = load<u32>(state + 12);
  for (let i: u32 = 0; i < count; i++) {
    const ref = load<u32>(values + (<usize>i << 2));
    if (refLength(ref) == length && equals(refBytes(ref), address, length)) return TRUE;
  }
  return FALSE;
}

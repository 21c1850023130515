/** The request path: checked once, decoded once, then matched. @see docs/semantics.md §4 */
import { areIn, equals, find, hexValue, isIn, isUtf8, PLAIN_IN_PATH } from "./bytes";
import * as L from "./layout";
import { at, refBytes, refLength } from "./state";

export const FALSE: u32 = 0;
export const TRUE: u32 = 1;
export const DOUBT: u32 = 2;

const MAX_PATH: usize = 8192;
const buffer: usize = memory.data(8192);
let decodedLength: usize = 0;
/** Where the first segments of the decoded path begin, as u16, and how many it has: patterns have at most 32. */
const MAX_SEGMENTS: u32 = 64;
const starts: usize = memory.data(128, 2);
let segments: u32 = 0;
/** What every path condition answers, or TRUE when the decoded path must be matched. */
let state: u32 = DOUBT;
let ready: bool = false;
let raw: usize = 0;
let rawLength: usize = 0;

/** Names the request's path; nothing is read before the first condition asks. */
export function setPath(address: usize, length: usize): void {
  raw = address;
  rawLength = length;
  ready = false;
}

function isDots(start: usize, length: usize): bool {
  if (length == 1) return load<u8>(start) == 46;
  return length == 2 && load<u8>(start) == 46 && load<u8>(start + 1) == 46;
}

/** Decodes into the buffer. DOUBT for everything that two readers could take differently. */
function analyse(): u32 {
  const length = find(63, raw, rawLength < MAX_PATH + 1 ? rawLength : MAX_PATH + 1);
  if (length > MAX_PATH) return DOUBT;
  if (length == 1 && load<u8>(raw) == 42) return FALSE;
  if (length == 0 || load<u8>(raw) != 47) return DOUBT;
  let out: usize = 0;
  let segment: usize = 0;
  segments = 0;
  let ascii = true;
  for (let i: usize = 0; i < length; i++) {
    for (; i + 8 < length; i += 8, out += 8) {
      const w = load<u64>(raw + i);
      if (!areIn(w, PLAIN_IN_PATH)) break;
      store<u64>(buffer + out, w);
    }
    let c = <u32>load<u8>(raw + i);
    if (isIn(c, PLAIN_IN_PATH)) {
      store<u8>(buffer + out++, <u8>c);
      continue;
    }
    if (c < 0x20 || c == 0x7f || c == 59 || c == 92 || c == 35) return DOUBT;
    if (c == 47) {
      if (i > 0) {
        if (out == segment || isDots(buffer + segment, out - segment)) return DOUBT;
      }
      store<u8>(buffer + out++, 47);
      segment = out;
      if (segments < MAX_SEGMENTS) store<u16>(starts + ((<usize>segments) << 1), <u16>out);
      segments++;
      continue;
    }
    if (c == 37) {
      if (i + 2 >= length) return DOUBT;
      const high = hexValue(load<u8>(raw + i + 1));
      const low = hexValue(load<u8>(raw + i + 2));
      if (high < 0 || low < 0) return DOUBT;
      c = (high << 4) | low;
      if (c < 0x20 || c == 0x7f || c == 47 || c == 92 || c == 37) return DOUBT;
      i += 2;
    }
    if (c >= 0x80) ascii = false;
    store<u8>(buffer + out++, <u8>c);
  }
  if (isDots(buffer + segment, out - segment)) return DOUBT;
  decodedLength = out;
  return !ascii && !isUtf8(buffer, out) ? DOUBT : TRUE;
}

/** FALSE or DOUBT = the answer of every path condition; TRUE = match the decoded path. */
export function pathState(): u32 {
  if (!ready) {
    state = analyse();
    ready = true;
  }
  return state;
}

/** The path as it was decoded; `*` stays what it is. Only unless it is in doubt. */
export function decodedPath(): usize {
  return pathState() == TRUE ? buffer : raw;
}

export function decodedPathLength(): usize {
  return pathState() == TRUE ? decodedLength : 1;
}

/** Does the decoded path match the pattern at `offset` of the bundle? Only after `pathState()` answered TRUE. */
export function matchesPattern(offset: u32): bool {
  const pattern = at(offset);
  const kind = <u32>load<u8>(pattern + L.PATH_KIND);
  if (kind == L.PATH_EXACT || kind == L.PATH_PREFIX) {
    const ref = load<u32>(pattern + L.PATH_DATA);
    const length = <usize>refLength(ref);
    if (kind == L.PATH_EXACT ? length != decodedLength : length > decodedLength) return false;
    return equals(buffer, refBytes(ref), length);
  }
  const count = <u32>load<u16>(pattern + L.PATH_SEGMENTS);
  // A pattern that no compiler of ours writes: whoever called refuses.
  if (count >= MAX_SEGMENTS) unreachable();
  if (kind == L.PATH_TEMPLATE_REST ? segments <= count : segments != count) return false;
  for (let i: u32 = 0; i < count; i++) {
    const at = starts + ((<usize>i) << 1);
    const start = <usize>load<u16>(at);
    const end = i + 1 < segments ? <usize>load<u16>(at + 2) - 1 : decodedLength;
    const ref = load<u32>(pattern + L.PATH_DATA + (<usize>i << 2));
    if (ref == 0) {
      if (end == start) return false;
    } else if (<usize>refLength(ref) != end - start || !equals(buffer + start, refBytes(ref), end - start)) return false;
  }
  return true;
}

/** The conditions of one rule target. @see docs/semantics.md §4 */
import { equals } from "./bytes";
import { depend, evaluateHeader } from "./headers";
import * as L from "./layout";
import { DOUBT, FALSE, matchesPattern, pathState, TRUE } from "./path";
import { at, refBytes, refLength } from "./state";

let method: usize = 0;
export let methodLength: usize = 0;

export function setMethod(address: usize, length: usize): void {
  method = address;
  methodLength = length;
}

/** Is the port in the list (no list = any port)? `offset` 0 = no conditions at all. */
export function matchesPort(offset: u32, port: u32): bool {
  if (offset == 0) return true;
  const m = at(offset);
  const count = <u32>load<u16>(m + L.MATCHER_PORTS);
  if (count == 0) return true;
  for (let i: u32 = 0; i < count; i++) if (load<u16>(m + L.MATCHER_DATA + (<usize>i << 1)) == port) return true;
  return false;
}

/** What the target's conditions look at, whether or not they hold; headers are noted as depended on. */
export function noteDependencies(offset: u32): u32 {
  if (offset == 0) return 0;
  const m = at(offset);
  let mask: u32 = 0;
  if (load<u16>(m + L.MATCHER_METHODS) != 0) mask |= L.MASK_METHOD;
  if (load<u16>(m + L.MATCHER_PATHS) != 0) mask |= L.MASK_PATH;
  const count = <u32>load<u16>(m + L.MATCHER_HEADERS);
  if (count > 0) {
    let p = headerData(m);
    for (let i: u32 = 0; i < count; i++) {
      depend(load<u32>(p));
      p += 8 + ((<usize>load<u32>(p + 4)) << 2);
    }
  }
  return mask;
}

function methodData(m: usize): usize {
  return m + L.MATCHER_DATA + ((<usize>load<u16>(m + L.MATCHER_PORTS) * 2 + 3) & ~3);
}

function pathData(m: usize): usize {
  return methodData(m) + ((<usize>load<u16>(m + L.MATCHER_METHODS)) << 2);
}

function headerData(m: usize): usize {
  return pathData(m) + ((<usize>load<u16>(m + L.MATCHER_PATHS)) << 2);
}

function evaluateMethod(m: usize, count: u32): u32 {
  const data = methodData(m);
  for (let i: u32 = 0; i < count; i++) {
    const ref = load<u32>(data + (<usize>i << 2));
    if (<usize>refLength(ref) == methodLength && equals(refBytes(ref), method, methodLength)) return TRUE;
  }
  return FALSE;
}

function evaluatePath(m: usize, count: u32): u32 {
  const state = pathState();
  if (state != TRUE) return state;
  const data = pathData(m);
  for (let i: u32 = 0; i < count; i++) if (matchesPattern(load<u32>(data + (<usize>i << 2)))) return TRUE;
  return FALSE;
}

/** The methods of a target alone. No such condition is TRUE; on an opaque Check a condition is DOUBT. */
export function judgeMethods(offset: u32, opaque: bool): u32 {
  const count = offset == 0 ? 0 : <u32>load<u16>(at(offset) + L.MATCHER_METHODS);
  if (count == 0) return TRUE;
  return opaque ? DOUBT : evaluateMethod(at(offset), count);
}

/** The paths of a target alone, likewise. */
export function judgePaths(offset: u32, opaque: bool): u32 {
  const count = offset == 0 ? 0 : <u32>load<u16>(at(offset) + L.MATCHER_PATHS);
  if (count == 0) return TRUE;
  return opaque ? DOUBT : evaluatePath(at(offset), count);
}

/** One of the headers of a target alone, by its place among them. */
export function judgeHeader(offset: u32, index: u32, opaque: bool): u32 {
  if (opaque) return DOUBT;
  let p = headerData(at(offset));
  for (let i: u32 = 0; i < index; i++) p += 8 + ((<usize>load<u32>(p + 4)) << 2);
  return evaluateHeader(load<u32>(p), p + 8, load<u32>(p + 4));
}

/** Methods, paths and headers ANDed: one FALSE makes it FALSE, else one DOUBT makes it DOUBT. Opaque Checks are in doubt. */
export function evaluate(offset: u32, opaque: bool): u32 {
  if (offset == 0) return TRUE;
  const m = at(offset);
  const methods = <u32>load<u16>(m + L.MATCHER_METHODS);
  const paths = <u32>load<u16>(m + L.MATCHER_PATHS);
  const headers = <u32>load<u16>(m + L.MATCHER_HEADERS);
  if (opaque) return methods + paths + headers == 0 ? TRUE : DOUBT;
  if (methods != 0 && evaluateMethod(m, methods) == FALSE) return FALSE;
  let result = TRUE;
  if (paths != 0) {
    result = evaluatePath(m, paths);
    if (result == FALSE) return FALSE;
  }
  let p = headerData(m);
  for (let i: u32 = 0; i < headers; i++) {
    const count = load<u32>(p + 4);
    const one = evaluateHeader(load<u32>(p), p + 8, count);
    if (one == FALSE) return FALSE;
    if (one == DOUBT) result = DOUBT;
    p += 8 + ((<usize>count) << 2);
  }
  return result;
}

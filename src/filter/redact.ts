/** What a request carries but no record may: user information before a host, and queries (as src/audit/redact.ts does). */
import { bytesOf, constant, lengthOf } from "./bytes-of";
import * as w from "./writer";

const ELLIPSIS: usize = constant("\u2026");

/** Up to a query or fragment. */
function withoutQuery(address: usize, length: usize): usize {
  for (let i: usize = 0; i < length; i++) {
    const c = <u32>load<u8>(address + i);
    if (c == 63 || c == 35) return i;
  }
  return length;
}

/** Everything before the last `@` may be a secret. */
function putWithoutUser(address: usize, length: usize): void {
  let at = length;
  while (at > 0 && load<u8>(address + at - 1) != 64) at--;
  if (at == 0) {
    w.putEscaped(address, length);
    return;
  }
  w.putBytes(bytesOf(ELLIPSIS), lengthOf(ELLIPSIS));
  w.putEscaped(address + at - 1, length - at + 1);
}

/** A host as it came. */
export function putRedactedHost(address: usize, length: usize): void {
  putWithoutUser(address, withoutQuery(address, length));
}

/** A path as it came; of a whole URL, or one without its scheme, also without its user information. */
export function putRedactedPath(address: usize, whole: usize): void {
  const length = withoutQuery(address, whole);
  if (length == 0 || load<u8>(address) != 47) putWithoutUser(address, length);
  else if (length == 1 || load<u8>(address + 1) != 47) w.putEscaped(address, length);
  else {
    let end: usize = 2;
    while (end < length && load<u8>(address + end) != 47) end++;
    w.putByte(47);
    w.putByte(47);
    putWithoutUser(address + 2, end - 2);
    w.putEscaped(address + end, length - end);
  }
}

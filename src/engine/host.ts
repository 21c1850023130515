/** Canonicalises authorities. The one implementation: server, filter and policy validation all come here. */
import { hexValue, IN_LABEL, isDigit, isIn, toLower } from "./bytes";
import { isDottedQuad, writeIpv6 } from "./ip";

export const NAME: u32 = 0;
export const IPV4: u32 = 1;
export const IPV6: u32 = 2;

/** The last canonical host: 253 bytes and room for one more dot. */
const buffer: usize = memory.data(256);
const other: usize = memory.data(256);
export let host: usize = 0;
export let hostLength: usize = 0;
export let hostKind: u32 = 0;
/** The explicit port, or 0. */
export let explicitPort: u32 = 0;

/** A port in decimal without leading zeros, 1-65535; 0 when it is none. */
export function parsePort(address: usize, length: usize): u32 {
  if (length == 0 || length > 5 || load<u8>(address) == 48) return 0;
  let value: u32 = 0;
  for (let i: usize = 0; i < length; i++) {
    const c = <u32>load<u8>(address + i);
    if (!isDigit(c)) return 0;
    value = value * 10 + c - 48;
  }
  return value <= 65535 ? value : 0;
}

/** Does the last label spell a number (`123`, `0x7f`)? Such a name is a spelling of an address. */
function isNumericLabel(address: usize, length: usize): bool {
  let digits = true;
  for (let i: usize = 0; i < length; i++) {
    if (!isDigit(load<u8>(address + i))) {
      digits = false;
      break;
    }
  }
  if (digits) return true;
  if (length < 2 || load<u8>(address) != 48 || load<u8>(address + 1) != 120) return false;
  for (let i: usize = 2; i < length; i++) if (hexValue(load<u8>(address + i)) < 0) return false;
  return true;
}

/** Copies a name in lower case to `out` and checks its labels. Returns its length, or 0 when it is no name. */
function writeName(address: usize, length: usize, out: usize): usize {
  if (length > 0 && load<u8>(address + length - 1) == 46) length--;
  if (length == 0 || length > 253) return 0;
  let start: usize = 0;
  let lastStart: usize = 0;
  let previousStart: usize = 0;
  let lastUnderscore: isize = -1;
  for (let i: usize = 0; i <= length; i++) {
    if (i == length || load<u8>(address + i) == 46) {
      const size = i - start;
      if (size == 0 || size > 63) return 0;
      if (load<u8>(out + start) == 45 || load<u8>(out + i - 1) == 45) return 0;
      previousStart = lastStart;
      lastStart = start;
      start = i + 1;
      if (i < length) store<u8>(out + i, 46);
      continue;
    }
    const c = <u32>load<u8>(address + i);
    if (c == 95) lastUnderscore = i;
    else if (!isIn(c, IN_LABEL)) return 0;
    store<u8>(out + i, <u8>toLower(c));
  }
  if (lastUnderscore >= <isize>previousStart) return 0;
  if (isNumericLabel(out + lastStart, length - lastStart)) {
    if (!isDottedQuad(out, length)) return 0;
    hostKind = IPV4;
  }
  return length;
}

/**
 * Reads `host[:port]` (`host` alone without `portAllowed`) into `host`, `hostLength`, `hostKind` and `explicitPort`.
 * Returns false where the answer must be `invalid-target`. @see docs/semantics.md §3, §7
 */
export function canonicalise(address: usize, length: usize, portAllowed: bool): bool {
  return canonicaliseInto(address, length, portAllowed, buffer);
}

function canonicaliseInto(address: usize, length: usize, portAllowed: bool, out: usize): bool {
  host = out;
  hostLength = 0;
  explicitPort = 0;
  hostKind = NAME;
  if (length == 0) return false;
  let rest: usize = 0;
  if (load<u8>(address) == 91) {
    let close: usize = 1;
    while (close < length && load<u8>(address + close) != 93) close++;
    if (close == length || close > 46) return false;
    hostLength = writeIpv6(address + 1, close - 1, out);
    hostKind = IPV6;
    rest = close + 1;
  } else {
    while (rest < length && load<u8>(address + rest) != 58) rest++;
    if (rest > 254) return false;
    hostLength = writeName(address, rest, out);
  }
  if (hostLength == 0) return false;
  if (rest == length) return true;
  if (!portAllowed || load<u8>(address + rest) != 58) return false;
  explicitPort = parsePort(address + rest + 1, length - rest - 1);
  return explicitPort != 0;
}

/** Does another authority name the same host and, with `port` filling in for none, the same port as the last canonical one? */
export function agrees(address: usize, length: usize, port: u32, fallbackPort: u32): bool {
  const size = hostLength;
  const kind = hostKind;
  const own = explicitPort;
  const valid = canonicaliseInto(address, length, true, other);
  const otherLength = hostLength;
  const otherPort = explicitPort != 0 ? explicitPort : fallbackPort;
  host = buffer;
  hostLength = size;
  hostKind = kind;
  explicitPort = own;
  if (!valid || otherLength != size || otherPort != port) return false;
  for (let i: usize = 0; i < size; i++) if (load<u8>(buffer + i) != load<u8>(other + i)) return false;
  return true;
}

/** Is `name` this domain or, unless `belowOnly`, equal to it? Both canonical. */
function isUnder(domain: usize, length: usize, belowOnly: bool): bool {
  if (length == 0 || hostLength < length) return false;
  const offset = hostLength - length;
  for (let i: usize = 0; i < length; i++) {
    if (load<u8>(host + offset + i) != load<u8>(domain + i)) return false;
  }
  return offset == 0 ? !belowOnly : load<u8>(host + offset - 1) == 46;
}

const literal: usize = memory.data(64);

function isUnderText(text: string): bool {
  for (let i = 0; i < text.length; i++) store<u8>(literal + i, <u8>text.charCodeAt(i));
  return isUnder(literal, text.length, false);
}

/**
 * Is the last canonical host one that only an internal root service may open? `cluster` is the cluster domain.
 * @see docs/semantics.md §7 "Guarded names"
 */
export function isGuarded(cluster: usize, clusterLength: usize): bool {
  if (hostKind != NAME) return true;
  let dots = 0;
  for (let i: usize = 0; i < hostLength; i++) if (load<u8>(host + i) == 46) dots++;
  if (dots == 0) return true;
  const last = <u32>load<u8>(host + hostLength - 1);
  // Every guarded name but the cluster domain's ends in one of: t (localhost), c (svc), l (local, internal), g (goog), m (com), t (net).
  if (last == 116 && (isUnderText("localhost") || isUnderText("metadata.packet.net"))) return true;
  if (last == 99 && isUnderText("svc")) return true;
  if (last == 108) {
    if (isUnderText("cluster.local") || isUnderText("metadata.google.internal")) return true;
    if (isUnderText("instance-data.ec2.internal") || isUnderText("metadata.azure.internal")) return true;
  }
  if (last == 103 && isUnderText("metadata.goog")) return true;
  if (last == 109 && (isUnderText("metadata.tencentyun.com") || isUnderText("metadata.platformequinix.com"))) return true;
  return isUnder(cluster, clusterLength, false);
}


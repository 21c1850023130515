/** What the plugin's configuration says: lines `name=value`. All listeners of a gateway say the same. */
import { isText } from "../engine/bytes";
import { hexBytes } from "./hex";

/** Names of Envoy's clusters, as constants of bytes-of; 0 while they are not set. */
export let bundleCluster: usize = 0;
export let checkCluster: usize = 0;
/** How often the server is asked whether the policies are still in force: each worker adds a chance of its own, so that they do not ask together. */
export let pollMs: u32 = 900;
/** Public keys of those who may sign what is polled, as DER in constants of bytes-of; none for nobody needs to. */
export let keyCount: u32 = 0;
const MOST_KEYS: u32 = 4;
const keys: usize = memory.data(16, 4);

export function keyAt(i: u32): usize {
  return load<u32>(keys + (<usize>i << 2));
}

/** Reads the configuration. False when it is none that can be worked with. */
export function configure(text: usize, length: usize): bool {
  let from: usize = 0;
  keyCount = 0;
  while (from < length) {
    let end = from;
    while (end < length && load<u8>(text + end) != 10) end++;
    let equal = from;
    while (equal < end && load<u8>(text + equal) != 61) equal++;
    if (equal < end) {
      const value = text + equal + 1;
      const valueLength = end - equal - 1;
      if (isText(text + from, equal - from, "bundle")) bundleCluster = replaced(bundleCluster, value, valueLength);
      else if (isText(text + from, equal - from, "check")) checkCluster = replaced(checkCluster, value, valueLength);
      else if (isText(text + from, equal - from, "key")) {
        if (!addKey(value, valueLength)) return false;
      } else if (isText(text + from, equal - from, "poll")) pollMs = numberOf(value, valueLength);
      else return false;
    }
    from = end + 1;
  }
  return bundleCluster != 0 && checkCluster != 0 && pollMs != 0;
}

/** A decimal number of milliseconds; 0 for anything else, and beyond a minute. */
function numberOf(text: usize, length: usize): u32 {
  let number: u32 = 0;
  if (length > 5) return 0;
  for (let i: usize = 0; i < length; i++) {
    const digit = <u32>load<u8>(text + i) - 48;
    if (digit > 9) return 0;
    number = number * 10 + digit;
  }
  return number > 60_000 ? 0 : number;
}

/** A configuration with a key that cannot be read, or with too many, is none: what it asks for would not be verified. */
function addKey(digits: usize, length: usize): bool {
  if (keyCount == MOST_KEYS || length == 0) return false;
  const key = heap.alloc(length / 2 + 4);
  store<u32>(key, <u32>(length / 2));
  store<u32>(keys + (<usize>keyCount << 2), <u32>key);
  keyCount++;
  return hexBytes(digits, length, key + 4);
}

function replaced(before: usize, value: usize, length: usize): usize {
  if (before != 0) heap.free(before);
  const copy = heap.alloc(length + 4);
  store<u32>(copy, <u32>length);
  memory.copy(copy + 4, value, length);
  return copy;
}

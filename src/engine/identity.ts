/** SPIFFE IDs: grammar, and the index entries an identity touches. @see SPIFFE-ID §2, docs/semantics.md §2 */
import { equals, hashByte, hashEnd, IN_ID_PATH, IN_TRUST_DOMAIN, isIn } from "./bytes";
import * as L from "./layout";
import { at, field, seed } from "./state";

const MAX_ID: usize = 2048;

/** Parts of the last parsed ID. The path is empty or starts with `/`. */
export let domain: usize = 0;
export let domainLength: usize = 0;
export let path: usize = 0;
export let pathLength: usize = 0;
/** Set when the path is exactly `/ns/<ns>/sa/<sa>`. */
export let namespaceLength: usize = 0;

/** The whole grammar; false for anything that is not exactly one SPIFFE ID. */
export function parseId(address: usize, length: usize): bool {
  domainLength = 0;
  pathLength = 0;
  namespaceLength = 0;
  if (length < 10 || length > MAX_ID) return false;
  // "spiffe:/" and "/".
  if (load<u64>(address) != 0x2f3a656666697073 || load<u8>(address + 8) != 47) return false;
  const end = address + length;
  domain = address + 9;
  let p = domain;
  while (p < end && load<u8>(p) != 47) {
    if (!isIn(load<u8>(p), IN_TRUST_DOMAIN)) return false;
    p++;
  }
  domainLength = p - domain;
  if (domainLength == 0 || domainLength > 255) return false;
  path = p;
  pathLength = end - p;
  while (p < end) {
    const start = ++p;
    while (p < end && load<u8>(p) != 47) {
      if (!isIn(load<u8>(p), IN_ID_PATH)) return false;
      p++;
    }
    const size = p - start;
    if (size == 0) return false;
    if (load<u8>(start) == 46 && (size == 1 || (size == 2 && load<u8>(start + 1) == 46))) return false;
  }
  readWorkload();
  return true;
}

/** `/ns/<ns>/sa/<sa>`: exactly four segments. */
function readWorkload(): void {
  // "/ns/" as a little-endian word; likewise "/sa/" below.
  if (pathLength < 10 || load<u32>(path) != 0x2f736e2f) return;
  let i: usize = 4;
  while (i < pathLength && load<u8>(path + i) != 47) i++;
  if (i + 4 >= pathLength || load<u32>(path + i) != 0x2f61732f) return;
  for (let j = i + 4; j < pathLength; j++) if (load<u8>(path + j) == 47) return;
  namespaceLength = i - 4;
}

/** The entry for a key, or 0. `hash` is already ended. */
function find(hash: u32, kind: u32, number: u32, key: usize, length: usize): usize {
  const table = at(field(L.H_IDENTITY_TABLE));
  const last = field(L.H_IDENTITY_SLOTS) - 1;
  let slot = hash & last;
  while (true) {
    const address = table + <usize>slot * L.ID_SLOT;
    const entry = load<u32>(address + 4);
    if (entry == 0) return 0;
    if (load<u32>(address) == hash) {
      const e = at(entry);
      if (load<u8>(e + L.IE_KIND) == kind && load<u16>(e + L.IE_KEY_LENGTH) == length) {
        const numbered = kind == L.ID_EXACT || kind == L.ID_PREFIX;
        const bytes = e + L.IE_SUBJECTS + (<usize>load<u32>(e + L.IE_SUBJECT_COUNT) << 2);
        if ((!numbered || load<u32>(e + L.IE_NUMBER) == number) && equals(bytes, key, length)) return e;
      }
    }
    slot = (slot + 1) & last;
  }
}

function hashOf(key: usize, length: usize): u32 {
  let h = seed;
  for (let i: usize = 0; i < length; i++) h = hashByte(h, load<u8>(key + i));
  return h;
}

export function findDomain(): usize {
  return find(hashEnd(hashOf(domain, domainLength), L.ID_TRUST_DOMAIN, 0), L.ID_TRUST_DOMAIN, 0, domain, domainLength);
}

export function findNamespace(): usize {
  const key = path + 4;
  return find(hashEnd(hashOf(key, namespaceLength), L.ID_NAMESPACE, 0), L.ID_NAMESPACE, 0, key, namespaceLength);
}

/** Entries that hold the identity's subjects, as [address]; the longest path allows 1,024 prefixes, three more, and everyone. */
export const entries: usize = memory.data(4 * 1032, 4);
export let entryCount: u32 = 0;

export function resetEntries(): void {
  entryCount = 0;
}

export function addEntry(entry: usize): void {
  if (entry == 0 || load<u32>(entry + L.IE_SUBJECT_COUNT) == 0) return;
  store<u32>(entries + (<usize>entryCount << 2), <u32>entry);
  entryCount++;
}

/** Adds the exact entry and those of every prefix that is a whole number of segments, in one pass over the path. */
export function addPathEntries(number: u32): void {
  const depth = field(L.H_PREFIX_DEPTH);
  let h = seed;
  let segment: u32 = 0;
  for (let i: usize = 0; i < pathLength; i++) {
    const c = <u32>load<u8>(path + i);
    if (c == 47 && segment < depth) {
      addEntry(find(hashEnd(h, L.ID_PREFIX, number), L.ID_PREFIX, number, path, i));
      segment++;
    }
    h = hashByte(h, c);
  }
  addEntry(find(hashEnd(h, L.ID_EXACT, number), L.ID_EXACT, number, path, pathLength));
}

/** Which registered patterns, owners and rule targets the canonical host touches. @see docs/semantics.md §3, §7 */
import { equals, hashByte, hashEnd } from "./bytes";
import { host, hostLength } from "./host";
import * as L from "./layout";
import { at, field, seed } from "./state";

/** More labels than a host can have. */
const MAX_LEVELS: usize = 130;

/** Rule host patterns that match: [target u32, key length u32]; an exact pattern has key length 0xffff. */
export const hostTargets: usize = memory.data(8 * 130, 4);
export let hostTargetCount: u32 = 0;

/** The owner among services visible to the workload, and among global services only; 0 = none. Addresses of owner records. */
export let owner: usize = 0;
export let ownerLevel: u32 = 0;
export let globalOwner: usize = 0;

const EXACT: u32 = 0xffff;
const hashes: usize = memory.data(8 * 130, 4);

function findHost(hash: u32, wildcard: u32, offset: usize): usize {
  const table = at(field(L.H_HOST_TABLE));
  const last = field(L.H_HOST_SLOTS) - 1;
  const length = hostLength - offset;
  let slot = hash & last;
  while (true) {
    const address = table + <usize>slot * L.HOST_SLOT;
    const entry = load<u32>(address + 4);
    if (entry == 0) return 0;
    if (load<u32>(address) == hash) {
      const e = at(entry);
      if (load<u8>(e + L.HE_WILDCARD) == wildcard && load<u16>(e + L.HE_KEY_LENGTH) == length) {
        const key = e + L.HE_OWNERS + <usize>load<u32>(e + L.HE_OWNER_COUNT) * L.OWNER_SIZE;
        if (equals(key, host + offset, length)) return e;
      }
    }
    slot = (slot + 1) & last;
  }
}

function visit(entry: usize, level: u32, port: u32, scope: u32): void {
  const target = load<u32>(entry + L.HE_TARGET);
  if (target != L.NONE) {
    const p = hostTargets + (<usize>hostTargetCount << 3);
    store<u32>(p, target);
    store<u32>(p + 4, level);
    hostTargetCount++;
  }
  if (globalOwner != 0) return;
  const count = load<u32>(entry + L.HE_OWNER_COUNT);
  for (let i: u32 = 0; i < count; i++) {
    const o = entry + L.HE_OWNERS + <usize>i * L.OWNER_SIZE;
    if (load<u16>(o + L.OWNER_PORT) != port) continue;
    const seenBy = load<u32>(o + L.OWNER_SCOPE);
    if (seenBy == 0) globalOwner = o;
    else if (seenBy != scope) return;
    if (owner == 0) {
      owner = o;
      ownerLevel = level;
    }
    return;
  }
}

/** Is the canonical host listed literally by an internal service? */
export function isInternal(): bool {
  let h = seed;
  for (let i = <isize>hostLength - 1; i >= 0; i--) h = hashByte(h, load<u8>(host + i));
  const entry = findHost(hashEnd(h, 0, 0), 0, 0);
  return entry != 0 && load<u8>(entry + L.HE_INTERNAL) != 0;
}

/** Fills everything above for the canonical host, most specific pattern first. `scope` is the workload's namespace number or NONE. */
export function resolve(port: u32, scope: u32): void {
  owner = 0;
  ownerLevel = 0;
  globalOwner = 0;
  hostTargetCount = 0;
  let levels: usize = 0;
  let h = seed;
  for (let i = <isize>hostLength - 1; i >= 0; i--) {
    const c = <u32>load<u8>(host + i);
    if (c == 46 && levels < MAX_LEVELS) {
      store<u32>(hashes + (levels << 3), h);
      store<u32>(hashes + (levels << 3) + 4, <u32>(i + 1));
      levels++;
    }
    h = hashByte(h, c);
  }
  const exact = findHost(hashEnd(h, 0, 0), 0, 0);
  if (exact != 0) visit(exact, EXACT, port, scope);
  while (levels > 0) {
    levels--;
    const offset = <usize>load<u32>(hashes + (levels << 3) + 4);
    const entry = findHost(hashEnd(load<u32>(hashes + (levels << 3)), 1, 0), 1, offset);
    if (entry != 0) visit(entry, <u32>(hostLength - offset), port, scope);
  }
}

/** Nobody owns the target after all (protocol or content type does not fit). */
export function disownAll(): void {
  owner = 0;
}

export function disownGlobal(): void {
  globalOwner = 0;
}

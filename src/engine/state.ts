/** Where things are: the loaded bundle and the scratch areas that a decision uses. Nothing here is allocated per decision. */
import * as L from "./layout";

/** Address of the loaded bundle; 0 = none. */
export let bundle: usize = 0;
export let seed: u32 = 0;
export let clusterDomain: usize = 0;

/** The question's buffer and its capacity. */
export let question: usize = 0;
let questionCapacity: usize = 0;

/** The answer, always at the same address. */
export const answer: usize = memory.data(112, 8);

/** Matches of the current decision: [rule u32, flags u32]. */
export let matches: usize = 0;
/** Rule indexes of the answer. */
export let rulesOut: usize = 0;
export let shadowRulesOut: usize = 0;
/** As much again, for sorting them. */
export let sorting: usize = 0;
/** Per subject: the number of the decision that last visited it. */
export let subjectVisits: usize = 0;
/** Header ids the decision depended on, and per header id: [stamp u32, state u32, value address u32, value length u32]. */
export let headersOut: usize = 0;
export let headerState: usize = 0;
/** Places of expressions that the answer waits for, and per expression: [round u32, truth u32]. */
export let whensOut: usize = 0;
export let whenState: usize = 0;

/** Grows on demand; the host writes a question here before `decide`. Returns the address. */
export function reserveQuestion(bytes: usize): usize {
  if (bytes > questionCapacity) {
    if (question != 0) heap.free(question);
    questionCapacity = (bytes + 0xffff) & ~(<usize>0xffff);
    question = heap.alloc(questionCapacity);
  }
  return question;
}

/** A header field of the bundle. */
// @ts-ignore: decorator
@inline
export function field(offset: u32): u32 {
  return load<u32>(bundle + offset);
}

/** The bundle's address of an offset. */
// @ts-ignore: decorator
@inline
export function at(offset: u32): usize {
  return bundle + <usize>offset;
}

/** Length and bytes of a string reference (an offset to a u16 length and its bytes). */
// @ts-ignore: decorator
@inline
export function refLength(ref: u32): u32 {
  return load<u16>(bundle + ref);
}

// @ts-ignore: decorator
@inline
export function refBytes(ref: u32): usize {
  return bundle + ref + 2;
}

function section(offset: u32, bytes: u64, length: u32): bool {
  return <u64>offset >= L.HEADER_SIZE && <u64>offset + bytes <= <u64>length;
}

/**
 * Takes the bundle of `length` bytes at `address`, whose memory stays the caller's but must not change.
 * Returns false, keeping the earlier one, when magic, version, length or a section's bounds are wrong.
 */
export function takeBundle(address: usize, length: u32): bool {
  if (length < L.HEADER_SIZE) return false;
  if (load<u32>(address + L.H_MAGIC) != L.MAGIC) return false;
  const version = load<u32>(address + L.H_VERSION);
  const hasWhens = version == L.VERSION_WHEN && length >= L.HEADER_SIZE_WHEN;
  if (version != L.VERSION && !hasWhens) return false;
  if (load<u32>(address + L.H_LENGTH) != length) return false;
  const idSlots = load<u32>(address + L.H_IDENTITY_SLOTS);
  const hostSlots = load<u32>(address + L.H_HOST_SLOTS);
  const pairSlots = load<u32>(address + L.H_PAIR_SLOTS);
  if (popcnt(idSlots) != 1 || popcnt(hostSlots) != 1 || popcnt(pairSlots) != 1) return false;
  const rules = load<u32>(address + L.H_RULE_COUNT);
  const headers = load<u32>(address + L.H_HEADER_COUNT);
  if (!section(load<u32>(address + L.H_IDENTITY_TABLE), <u64>idSlots * L.ID_SLOT, length)) return false;
  if (!section(load<u32>(address + L.H_HOST_TABLE), <u64>hostSlots * L.HOST_SLOT, length)) return false;
  if (!section(load<u32>(address + L.H_PAIR_TABLE), <u64>pairSlots * L.PAIR_SLOT, length)) return false;
  if (!section(load<u32>(address + L.H_RULES), <u64>rules * L.RULE_SIZE, length)) return false;
  if (!section(load<u32>(address + L.H_HEADERS), <u64>headers * 4, length)) return false;
  if (!section(load<u32>(address + L.H_SUBJECTS), <u64>load<u32>(address + L.H_SUBJECT_COUNT), length)) return false;
  const services = load<u32>(address + L.H_SERVICE_COUNT);
  if (!section(load<u32>(address + L.H_SERVICES), <u64>services * L.SERVICE_SIZE, length)) return false;
  if (!section(load<u32>(address + L.H_CLUSTER_DOMAIN), 2, length)) return false;
  if (!section(load<u32>(address + L.H_OWN_DOMAIN), 2, length)) return false;
  const whens = hasWhens ? load<u32>(address + L.H_WHEN_COUNT) : 0;
  if (hasWhens && !section(load<u32>(address + L.H_WHENS), <u64>whens * L.WHEN_SIZE, length)) return false;

  if (matches != 0) heap.free(matches);
  if (headerState != 0) heap.free(headerState);
  if (subjectVisits != 0) heap.free(subjectVisits);
  if (whenState != 0) heap.free(whenState);
  const items = load<u32>(address + L.H_ITEM_COUNT);
  matches = heap.alloc(<usize>items * 20 + 8);
  rulesOut = matches + <usize>items * 8;
  shadowRulesOut = rulesOut + <usize>items * 4;
  sorting = shadowRulesOut + <usize>items * 4;
  const subjects = <usize>load<u32>(address + L.H_SUBJECT_COUNT) * 4;
  subjectVisits = heap.alloc(subjects + 4);
  memory.fill(subjectVisits, 0, subjects);
  headerState = heap.alloc(<usize>headers * 20 + 8);
  headersOut = headerState + <usize>headers * 16;
  memory.fill(headerState, 0, <usize>headers * 16);
  whenState = heap.alloc(<usize>whens * 12 + 8);
  whensOut = whenState + <usize>whens * 8;
  memory.fill(whenState, 0, <usize>whens * 8);
  bundle = address;
  seed = load<u32>(address + L.H_SEED);
  clusterDomain = address + load<u32>(address + L.H_CLUSTER_DOMAIN);
  return true;
}

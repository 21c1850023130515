/** Walks the rules that the workload and the target share and records which match, and how. @see docs/semantics.md §5 */
import { hashEnd } from "./bytes";
import { namesProtocol, upgrading } from "./headers";
import { entries, entryCount } from "./identity";
import * as L from "./layout";
import { evaluate, matchesPort, noteDependencies } from "./matcher";
import { DOUBT, TRUE } from "./path";
import { at, field, matches, seed, sorting, subjectVisits } from "./state";
import { globalOwner, hostTargetCount, hostTargets, owner, ownerLevel } from "./target";
import { noteReads, readsClock, truthOf } from "./when";

/** How a rule matched: bits of a match record, beside RULE_REPORT. */
export const DENIES: u32 = 16;
export const ALLOWS: u32 = 32;
export const WOULD_UPGRADE: u32 = 64;
export const EXPIRED: u32 = 128;

export let matchCount: u32 = 0;
/** Bits of all matches of enforced rules, and of all matches. */
export let enforcedKinds: u32 = 0;
export let allKinds: u32 = 0;
export let mask: u32 = 0;
/** A rule's expression reads the clock. */
export let clock: bool = false;
export let validUntil: f64 = Infinity;
/** The strictest fallback of the workload's groups, or FALLBACK_UNSET. */
export let groupFallback: u32 = L.FALLBACK_UNSET;

let port: u32 = 0;
let scope: u32 = 0;
let now: f64 = 0;
let opaque: bool = false;

/** Which binding a list of rule targets was found by. */
const BY_ANY: u32 = 0;
const BY_OWNER: u32 = 1;
export const BY_GLOBAL_OWNER: u32 = 2;
export const BY_HOST: u32 = 3;

function findList(subject: u32, target: u32): usize {
  const table = at(field(L.H_PAIR_TABLE));
  const last = field(L.H_PAIR_SLOTS) - 1;
  let slot = hashEnd(seed, subject, target) & last;
  while (true) {
    const address = table + <usize>slot * L.PAIR_SLOT;
    const list = load<u32>(address + 8);
    if (list == 0) return 0;
    if (load<u32>(address) == subject && load<u32>(address + 4) == target) return at(list);
    slot = (slot + 1) & last;
  }
}

function record(rule: u32, kind: u32, mode: u32): void {
  const p = matches + ((<usize>matchCount) << 3);
  store<u32>(p, rule);
  store<u32>(p + 4, kind | mode);
  matchCount++;
  allKinds |= kind;
  if (mode == 0) enforcedKinds |= kind;
}

/** Notes the next boundary and answers -1 before the window, 0 in it, 1 after it. */
export function window(rule: usize): i32 {
  const notBefore = load<f64>(rule + L.RULE_NOT_BEFORE);
  const expires = load<f64>(rule + L.RULE_EXPIRES);
  if (notBefore > now) {
    if (notBefore < validUntil) validUntil = notBefore;
    return -1;
  }
  if (expires > now) {
    if (expires < validUntil) validUntil = expires;
    return 0;
  }
  return 1;
}

/** Does a policy of this scope speak for the workload? */
// @ts-ignore: decorator
@inline
export function speaksFor(itemScope: u32): bool {
  return itemScope == 0 || itemScope == scope;
}

/** Does a target that was found by `binding` at `level` count for an allow or a deny of a policy of this scope? */
// @ts-ignore: decorator
@inline
export function reaches(denies: bool, itemScope: u32, binding: u32, level: u32): bool {
  if (binding == BY_GLOBAL_OWNER) return denies && itemScope == 0;
  if (binding != BY_HOST || denies) return true;
  if (owner == 0 || level < ownerLevel) return false;
  return itemScope != 0 || load<u32>(owner + L.OWNER_SCOPE) == 0;
}

/** Does an allow let the request upgrade, or does none ask? `rule` = its record. */
// @ts-ignore: decorator
@inline
export function letsUpgrade(flags: u32, rule: usize): bool {
  return !upgrading || (flags & L.RULE_HAS_UPGRADES && namesProtocol(load<u32>(rule + L.RULE_UPGRADES)));
}

function visitItem(item: usize, binding: u32, level: u32): void {
  const itemScope = load<u32>(item + L.ITEM_SCOPE);
  if (!speaksFor(itemScope)) return;
  const flags = load<u32>(item + L.ITEM_FLAGS);
  const denies = (flags & L.RULE_DENY) != 0;
  if (!reaches(denies, itemScope, binding, level)) return;
  const matcher = load<u32>(item + L.ITEM_MATCHER);
  if (!matchesPort(matcher, port)) return;
  const index = load<u32>(item + L.ITEM_RULE);
  if (!opaque) mask |= noteDependencies(matcher);
  const expression = flags >>> L.RULE_WHEN_AT;
  if (expression != 0) noteExpression(expression);
  const rule = at(field(L.H_RULES)) + <usize>index * L.RULE_SIZE;
  const place = flags & L.RULE_WINDOW ? window(rule) : 0;
  if (place < 0) return;
  if (!holds(evaluate(matcher, opaque), denies)) return;
  const named = denies || letsUpgrade(flags, rule);
  if (place > 0 && (denies || !named)) return;
  // Asked last: it has to be evaluated elsewhere.
  if (expression != 0 && !holds(truthOf(expression, opaque), denies)) return;
  const mode = flags & L.RULE_REPORT;
  if (denies) record(index, DENIES, mode);
  else if (place == 0) record(index, named ? ALLOWS : WOULD_UPGRADE, mode);
  else record(index, EXPIRED, mode);
}

/** In doubt counts as false for an allow and as true for a deny. */
// @ts-ignore: decorator
@inline
function holds(truth: u32, denies: bool): bool {
  return truth == TRUE || (truth == DOUBT && denies);
}

function noteExpression(number: u32): void {
  if (readsClock(number)) clock = true;
  if (!opaque) mask |= noteReads(number) & (L.MASK_METHOD | L.MASK_PATH);
}

function visitList(subject: u32, target: u32, binding: u32, level: u32): void {
  const list = findList(subject, target);
  if (list == 0) return;
  const count = load<u32>(list);
  for (let i: u32 = 0; i < count; i++) visitItem(list + 4 + <usize>i * L.ITEM_SIZE, binding, level);
}

/** The number of this decision, by which subjects that several entries name are visited once. */
export let visit: u32 = 0;

/**
 * INVARIANT: a subject is visited once a decision, hence each (subject, target) list is read once and each item recorded at
 * most once: `matches` holds as many records as the bundle has items.
 */
function visitSubject(tagged: u32): void {
  const subject = tagged & L.SUBJECT_ID_MASK;
  const seen = subjectVisits + ((<usize>subject) << 2);
  if (load<u32>(seen) == visit) return;
  store<u32>(seen, visit);
  const fallback = <u32>load<u8>(at(field(L.H_SUBJECTS)) + subject);
  if (fallback < groupFallback) groupFallback = fallback;
  if (tagged & L.SUBJECT_HAS_ANY) visitList(subject, L.TARGET_ANY, BY_ANY, 0);
  if (tagged & L.SUBJECT_HAS_SERVICE) {
    const own = owner == 0 ? L.NONE : load<u32>(owner + L.OWNER_SERVICE);
    if (own != L.NONE) visitList(subject, 1 + own, BY_OWNER, 0);
    if (globalOwner != 0 && globalOwner != owner) {
      const global = load<u32>(globalOwner + L.OWNER_SERVICE);
      if (global != own) visitList(subject, 1 + global, BY_GLOBAL_OWNER, 0);
    }
  }
  if (tagged & L.SUBJECT_HAS_HOST) {
    for (let i: u32 = 0; i < hostTargetCount; i++) {
      const p = hostTargets + ((<usize>i) << 3);
      visitList(subject, load<u32>(p), BY_HOST, load<u32>(p + 4));
    }
  }
}

/** Walks everything once. `workloadScope` is the workload's namespace number or NONE. */
export function walk(targetPort: u32, workloadScope: u32, instant: f64, isOpaque: bool): void {
  port = targetPort;
  scope = workloadScope;
  now = instant;
  opaque = isOpaque;
  matchCount = 0;
  enforcedKinds = 0;
  allKinds = 0;
  mask = 0;
  clock = false;
  validUntil = Infinity;
  groupFallback = L.FALLBACK_UNSET;
  visit++;
  if (visit == 0) {
    memory.fill(subjectVisits, 0, (<usize>field(L.H_SUBJECT_COUNT)) << 2);
    visit = 1;
  }
  for (let e: u32 = 0; e < entryCount; e++) {
    const entry = <usize>load<u32>(entries + ((<usize>e) << 2));
    const count = load<u32>(entry + L.IE_SUBJECT_COUNT);
    for (let i: u32 = 0; i < count; i++) visitSubject(load<u32>(entry + L.IE_SUBJECTS + ((<usize>i) << 2)));
  }
  const everyone = field(L.H_EVERYONE);
  if (everyone != L.NONE) visitSubject(everyone);
}

/**
 * Writes the sorted, distinct indexes of rules that matched as `kind` (enforced only, or in either mode) to `out`.
 * Returns how many.
 */
export function collect(kind: u32, enforcedOnly: bool, out: usize): u32 {
  let count: u32 = 0;
  let last: u32 = 0;
  let ascends = true;
  for (let i: u32 = 0; i < matchCount; i++) {
    const p = matches + ((<usize>i) << 3);
    const flags = load<u32>(p + 4);
    if ((flags & kind) == 0 || (enforcedOnly && (flags & L.RULE_REPORT) != 0)) continue;
    const rule = load<u32>(p);
    if (count > 0 && rule <= last) {
      if (rule == last) continue;
      ascends = false;
    }
    store<u32>(out + ((<usize>count) << 2), rule);
    last = rule;
    count++;
  }
  return ascends ? count : sortDistinct(out, count);
}

/** Merges ascending runs, of which each list that was visited is one, until there is one. Returns how many are left. */
function sortDistinct(out: usize, length: u32): u32 {
  let from = out;
  let to = sorting;
  let count = length;
  while (true) {
    let read: u32 = 0;
    let written: u32 = 0;
    let runs: u32 = 0;
    while (read < count) {
      const middle = runEnd(from, read, count);
      const end = middle < count ? runEnd(from, middle, count) : middle;
      written = merge(from, read, middle, end, to, written);
      read = end;
      runs++;
    }
    count = written;
    const merged = to;
    to = from;
    from = merged;
    if (runs == 1) break;
  }
  if (from != out) memory.copy(out, from, (<usize>count) << 2);
  return count;
}

// @ts-ignore: decorator
@inline
function ruleAt(list: usize, index: u32): u32 {
  return load<u32>(list + ((<usize>index) << 2));
}

function runEnd(list: usize, start: u32, count: u32): u32 {
  let end = start + 1;
  while (end < count && ruleAt(list, end) > ruleAt(list, end - 1)) end++;
  return end;
}

/** Merges two neighbouring runs into `to` behind what is `written`; what both hold stands there once. */
function merge(from: usize, start: u32, middle: u32, end: u32, to: usize, written: u32): u32 {
  let a = start;
  let b = middle;
  let count = written;
  while (a < middle || b < end) {
    let rule: u32;
    if (b >= end || (a < middle && ruleAt(from, a) <= ruleAt(from, b))) {
      rule = ruleAt(from, a);
      if (b < end && ruleAt(from, b) == rule) b++;
      a++;
    } else rule = ruleAt(from, b++);
    store<u32>(to + ((<usize>count) << 2), rule);
    count++;
  }
  return count;
}

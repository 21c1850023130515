/**
 * What each condition of a rule came to in one decision, asked one by one of the functions that the decision itself asks.
 * Nothing here decides, and the filter does without it. The codes are those of src/bundle/layout.ts.
 */
import { decideFromStart, scope } from "./decide";
import * as L from "./layout";
import { judgeHeader, judgeMethods, judgePaths, matchesPort } from "./matcher";
import * as rules from "./rules";
import { answer, at, field, question, subjectVisits } from "./state";
import { globalOwner, hostTargetCount, hostTargets, owner, ownerLevel } from "./target";
import { isInDoubt } from "./when";

let opaque: bool = false;

/**
 * Decides the question in the buffer with the answers that expressions have, and returns how far the decision came. Short of the rules they are walked all the same
 * where there is a workload and a target, so that their conditions can be asked; the answer stays as it was.
 */
export function explainQuestion(now: f64): u32 {
  opaque = load<u32>(question + L.Q_KIND) != L.KIND_HTTP;
  const before = rules.visit;
  decideFromStart(now);
  if (rules.visit != before) return L.STAGE_RULES;
  if (load<u32>(answer + L.A_REASON) != L.REASON_UNREGISTERED_TARGET) return L.STAGE_REFUSED;
  rules.walk(load<u32>(answer + L.A_PORT), scope, now, opaque);
  return L.STAGE_UNREGISTERED;
}

/** Does the subject hold the workload? */
export function holds(subject: u32): bool {
  return load<u32>(subjectVisits + ((<usize>subject) << 2)) == rules.visit;
}

/** The fallback that counts for the workload: of its groups, else the gateway's. */
export function effectiveFallback(): u32 {
  const group = rules.groupFallback;
  return group != L.FALLBACK_UNSET ? group : field(L.H_FALLBACK);
}

function serviceOf(record: usize): u32 {
  return record == 0 ? L.NONE : load<u32>(record + L.OWNER_SERVICE);
}

/** Is the target one that the item aims at, and if not, why? */
function bind(target: u32, denies: bool, itemScope: u32): u32 {
  if (target == L.TARGET_ANY) return L.X_BOUND;
  const nobody = owner == 0;
  if (target <= field(L.H_SERVICE_COUNT)) {
    const service = target - 1;
    if (serviceOf(owner) == service) return L.X_BOUND;
    if (serviceOf(globalOwner) != service) return nobody ? L.X_UNOWNED : L.X_ELSEWHERE;
    return rules.reaches(denies, itemScope, rules.BY_GLOBAL_OWNER, 0) ? L.X_BOUND : L.X_HIDDEN;
  }
  for (let i: u32 = 0; i < hostTargetCount; i++) {
    const p = hostTargets + ((<usize>i) << 3);
    if (load<u32>(p) != target) continue;
    const level = load<u32>(p + 4);
    if (rules.reaches(denies, itemScope, rules.BY_HOST, level)) return L.X_BOUND;
    if (nobody) return L.X_UNOWNED;
    return level < ownerLevel ? L.X_WIDER : L.X_FOREIGN;
  }
  return L.X_ELSEWHERE;
}

/** What the conditions of an item come to, but for its headers. `item` = its offset in the bundle. */
export function explain(subject: u32, target: u32, item: u32): u32 {
  const p = at(item);
  const itemScope = load<u32>(p + L.ITEM_SCOPE);
  const flags = load<u32>(p + L.ITEM_FLAGS);
  const matcher = load<u32>(p + L.ITEM_MATCHER);
  const rule = at(field(L.H_RULES)) + <usize>load<u32>(p + L.ITEM_RULE) * L.RULE_SIZE;
  const denies = (flags & L.RULE_DENY) != 0;
  let bits: u32 = 0;
  if (holds(subject)) bits |= L.X_SUBJECT;
  if (rules.speaksFor(itemScope)) bits |= L.X_SCOPE;
  if (matchesPort(matcher, load<u32>(answer + L.A_PORT))) bits |= L.X_PORT;
  if (denies || rules.letsUpgrade(flags, rule)) bits |= L.X_UPGRADE;
  bits |= bind(target, denies, itemScope) << L.X_BINDING_AT;
  bits |= <u32>(rules.window(rule) + 1) << L.X_WINDOW_AT;
  bits |= judgeMethods(matcher, opaque) << L.X_METHODS_AT;
  return bits | (judgePaths(matcher, opaque) << L.X_PATHS_AT);
}

/** What one header condition of an item comes to, by its place among them. */
export function explainHeader(item: u32, index: u32): u32 {
  return judgeHeader(load<u32>(at(item) + L.ITEM_MATCHER), index, opaque);
}

/** Does an expression read what is in doubt or cannot be seen? `index` = its place. */
export function explainWhen(index: u32): bool {
  return isInDoubt(index + 1, opaque);
}

/** Texts of what the engine answered, out of the bundle that it answered by. */
import * as L from "../engine/layout";
import { answer, at, field, refBytes, refLength } from "../engine/state";
import * as w from "./writer";

/** A field of the answer. */
export function a(offset: u32): u32 {
  return load<u32>(answer + offset);
}

/** Address of the record of a list's first rule, or 0. */
export function firstRule(list: u32, count: u32): usize {
  if (a(count) == 0) return 0;
  const index = load<u32>(<usize>a(list));
  return at(field(L.H_RULES)) + <usize>index * L.RULE_SIZE;
}

export function policyOf(rule: usize): usize {
  return at(field(L.H_POLICIES)) + <usize>load<u32>(rule + L.RULE_POLICY) * L.POLICY_SIZE;
}

export function putRef(ref: u32): void {
  w.putEscaped(refBytes(ref), refLength(ref));
}

/** `namespace/policy`, or `policy` for root policies. */
export function putPolicy(rule: usize): void {
  const policy = policyOf(rule);
  const scope = load<u32>(policy + L.POLICY_SCOPE);
  if (scope != 0 && refLength(scope) != 0) {
    putRef(scope);
    w.putByte(47);
  }
  putRef(load<u32>(policy + L.POLICY_NAME));
}

export function putRule(rule: usize): void {
  putPolicy(rule);
  w.putByte(47);
  putRef(load<u32>(rule + L.RULE_NAME));
}

export function putSubject(): void {
  w.putText("spiffe://");
  w.putBytes(<usize>a(L.A_DOMAIN), a(L.A_DOMAIN_LENGTH));
  w.putBytes(<usize>a(L.A_ID_PATH), a(L.A_ID_PATH_LENGTH));
}

/** The host as it was decided. */
export function putHost(): void {
  w.putEscaped(<usize>a(L.A_HOST), a(L.A_HOST_LENGTH));
}

/** Whom to ask about a rule, as JSON. */
export function putOwner(rule: usize): void {
  putRefOrNull(load<u32>(policyOf(rule) + L.POLICY_OWNER));
}

/** As JSON. */
export function putTicket(rule: usize): void {
  putRefOrNull(load<u32>(rule + L.RULE_TICKET));
}

function putRefOrNull(ref: u32): void {
  if (ref == 0) {
    w.putText("null");
    return;
  }
  w.putByte(34);
  putRef(ref);
  w.putByte(34);
}

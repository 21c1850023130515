/** What the engine exports to its host. The host owns all text; see src/bundle/layout.ts for the exchange areas. */
import { canonicalise, explicitPort, host, hostKind, hostLength, isGuarded } from "./host";
import { decideQuestion } from "./decide";
import { explainQuestion } from "./explain";
import * as id from "./identity";
import * as L from "./layout";
import { answer, bundle, question, reserveQuestion, takeBundle } from "./state";

export { effectiveFallback, explain, explainHeader, holds } from "./explain";

/** Memory for a bundle; write it there and call `load`. */
export function allocate(bytes: u32): usize {
  return heap.alloc(bytes);
}

/** Takes the bundle at `address`. False (and the earlier one stays) when it is not a whole bundle of this version. */
export function take(address: usize, length: u32): bool {
  return takeBundle(address, length);
}

/** The question buffer with room for `bytes`; it moves when it grows. */
export function reserve(bytes: u32): usize {
  return reserveQuestion(bytes);
}

/** The answer's address; it never moves. */
export function answerAddress(): usize {
  return answer;
}

/** Decides the question in the buffer. Traps when no bundle was taken: the host must deny. */
export function decide(now: f64): void {
  if (bundle == 0 || question == 0) unreachable();
  decideQuestion(now);
}

/** Decides likewise and returns how far the decision came (STAGE_…); then the conditions of rules can be asked. */
export function decideAndExplain(now: f64): u32 {
  if (bundle == 0 || question == 0) unreachable();
  return explainQuestion(now);
}

/**
 * Canonicalises the authority of `length` bytes in the question buffer, followed by the cluster domain. Returns whether
 * it is a host; the answer then holds A_HOST, A_HOST_LENGTH, A_HOST_KIND, A_PORT (0 = none) and A_GUARDED.
 */
export function canonicaliseHost(length: u32, clusterLength: u32): bool {
  if (!canonicalise(question, length, true)) return false;
  store<u32>(answer + L.A_HOST, <u32>host);
  store<u32>(answer + L.A_HOST_LENGTH, <u32>hostLength);
  store<u32>(answer + L.A_HOST_KIND, hostKind);
  store<u32>(answer + L.A_PORT, explicitPort);
  store<u32>(answer + L.A_GUARDED, isGuarded(question + length, clusterLength) ? 1 : 0);
  return true;
}

/** Parses the SPIFFE ID of `length` bytes in the question buffer; the answer then holds A_DOMAIN… and A_ID_PATH…. */
export function parseSpiffeId(length: u32): bool {
  if (!id.parseId(question, length)) return false;
  store<u32>(answer + L.A_DOMAIN, <u32>id.domain);
  store<u32>(answer + L.A_DOMAIN_LENGTH, <u32>id.domainLength);
  store<u32>(answer + L.A_ID_PATH, <u32>id.path);
  store<u32>(answer + L.A_ID_PATH_LENGTH, <u32>id.pathLength);
  return true;
}

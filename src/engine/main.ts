/** What the engine exports to its host. The host owns all text; see src/bundle/layout.ts for the exchange areas. */
import { canonicalise, explicitPort, host, hostKind, hostLength, isGuarded } from "./host";
import { decideAnswered, decideQuestion } from "./decide";
import { explainQuestion } from "./explain";
import { depend } from "./headers";
import * as id from "./identity";
import * as L from "./layout";
import { decodedPath, decodedPathLength } from "./path";
import { answer, bundle, question, reserveQuestion, takeBundle } from "./state";

export { effectiveFallback, explain, explainHeader, explainWhen, holds } from "./explain";
export { answerWhen } from "./when";

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

/** Decides the same question again, after `answerWhen` for each expression that the answer waited for. */
export function decideAgain(now: f64): void {
  if (bundle == 0 || question == 0) unreachable();
  decideAnswered(now);
}

function give(address: usize, length: usize): void {
  store<u32>(answer + L.A_VALUE, <u32>address);
  store<u32>(answer + L.A_VALUE_LENGTH, <u32>length);
}

/** The decoded path of the question that was decided, in A_VALUE. Only unless it is in doubt. */
export function readPath(): void {
  give(decodedPath(), decodedPathLength());
}

/** A header of it by its id: FALSE = absent, TRUE = in A_VALUE, DOUBT. */
export function readHeader(id: u32): u32 {
  const state = depend(id);
  give(load<u32>(state + 8), load<u32>(state + 12));
  return load<u32>(state + 4);
}

/** Decides once more and returns how far the decision came (STAGE_…); then the conditions of rules can be asked. */
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

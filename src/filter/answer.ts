/** Answers of the filter's own: the 403 that the server seat would give (src/server/check-response.ts), and failures. */
import * as L from "../engine/layout";
import { answer, at, field, refBytes, refLength } from "../engine/state";
import { bytesOf, constant, lengthOf } from "./bytes-of";
import { drawId, ID_LENGTH, id } from "./decision-id";
import { count, failed } from "./figures";
import { denialAdvice, denialMessage, reasonName } from "./denials";
import { sendResponse, setProperty } from "./host-calls";
import * as w from "./writer";

const FORBIDDEN: u32 = 403;
const UNAVAILABLE: u32 = 503;
const NO_GRPC_STATUS: i32 = -1;

const DECISION: usize = constant("sallyport.decision");
const REVISION: usize = constant("sallyport.revision");

/** Headers of an answer: content type and decision id, put together once; the id is written over for each. */
const headers: usize = memory.data(160, 8);
let headersLength: usize = 0;
let headersId: usize = 0;

function makeHeaders(): void {
  w.begin();
  w.putU32(2);
  w.putU32(12);
  w.putU32(16);
  w.putU32(23);
  w.putU32(<u32>ID_LENGTH);
  w.putText("content-type");
  w.putByte(0);
  w.putText("application/json");
  w.putByte(0);
  w.putText("x-sallyport-decision-id");
  w.putByte(0);
  headersId = headers + w.written();
  w.putBytes(id, ID_LENGTH);
  w.putByte(0);
  headersLength = w.written();
  memory.copy(headers, w.buffer, headersLength);
}

function a(offset: u32): u32 {
  return load<u32>(answer + offset);
}

/** Address of the record of a list's first rule, or 0. */
function firstRule(list: u32, count: u32): usize {
  if (a(count) == 0) return 0;
  const index = load<u32>(<usize>a(list));
  return at(field(L.H_RULES)) + <usize>index * L.RULE_SIZE;
}

function policyOf(rule: usize): usize {
  return at(field(L.H_POLICIES)) + <usize>load<u32>(rule + L.RULE_POLICY) * L.POLICY_SIZE;
}

function putRef(ref: u32): void {
  w.putEscaped(refBytes(ref), refLength(ref));
}

/** `namespace/policy`, or `policy` for root policies. */
function putPolicy(rule: usize): void {
  const policy = policyOf(rule);
  const scope = load<u32>(policy + L.POLICY_SCOPE);
  if (scope != 0 && refLength(scope) != 0) {
    putRef(scope);
    w.putByte(47);
  }
  putRef(load<u32>(policy + L.POLICY_NAME));
}

function putRule(rule: usize): void {
  putPolicy(rule);
  w.putByte(47);
  putRef(load<u32>(rule + L.RULE_NAME));
}

function putSubject(): void {
  w.putText("spiffe://");
  w.putBytes(<usize>a(L.A_DOMAIN), a(L.A_DOMAIN_LENGTH));
  w.putBytes(<usize>a(L.A_ID_PATH), a(L.A_ID_PATH_LENGTH));
}

function putTarget(): void {
  w.putEscaped(<usize>a(L.A_HOST), a(L.A_HOST_LENGTH));
  w.putByte(58);
  w.putNumber(a(L.A_PORT));
}

/** A text with its places filled. */
function putFilled(text: string, rule: usize): void {
  let i = 0;
  while (i < text.length) {
    const c = text.charCodeAt(i);
    if (c != 123) {
      w.putByte(c);
      i++;
      continue;
    }
    const second = text.charCodeAt(i + 3);
    // {who} {what} {why} {rule} {ask}: the third and fourth letters tell them apart.
    if (text.charCodeAt(i + 1) == 119 && second == 111) {
      if (a(L.A_DOMAIN_LENGTH) == 0) w.putText("this workload");
      else putSubject();
    } else if (text.charCodeAt(i + 1) == 119 && second == 97) {
      if (a(L.A_HOST_LENGTH) == 0) w.putText("this target");
      else putTarget();
    } else if (text.charCodeAt(i + 1) == 119) putWhy(rule);
    else if (text.charCodeAt(i + 1) == 114) {
      if (rule == 0) w.putText("a rule");
      else putRule(rule);
    } else putAsk(rule);
    while (text.charCodeAt(i) != 125) i++;
    i++;
  }
}

function putWhy(rule: usize): void {
  if (rule == 0 || load<u32>(rule + L.RULE_REASON) == 0) return;
  w.putText(" (");
  putRef(load<u32>(rule + L.RULE_REASON));
  w.putByte(41);
}

function putAsk(rule: usize): void {
  w.putText("ask ");
  if (rule == 0) w.putText("the platform team");
  else putRef(load<u32>(policyOf(rule) + L.POLICY_OWNER));
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

/** Refuses the request with what the engine answered. */
export function refuse(): void {
  const reason = a(L.A_REASON);
  const rule = firstRule(L.A_RULES, L.A_RULE_COUNT);
  beginBody(reasonName(reason));
  putFilled(denialMessage(reason), rule);
  w.putText('","subject":');
  if (a(L.A_DOMAIN_LENGTH) == 0) w.putText("null");
  else {
    w.putByte(34);
    putSubject();
    w.putByte(34);
  }
  w.putText(',"target":');
  if (a(L.A_HOST_LENGTH) == 0) w.putText("null");
  else {
    w.putByte(34);
    putTarget();
    w.putByte(34);
  }
  w.putText(',"policy":');
  if (rule == 0) w.putText('null,"rule":null,"owner":null,"ticket":null');
  else {
    w.putByte(34);
    putPolicy(rule);
    w.putText('","rule":"');
    putRule(rule);
    w.putText('","owner":');
    putRefOrNull(load<u32>(policyOf(rule) + L.POLICY_OWNER));
    w.putText(',"ticket":');
    putRefOrNull(load<u32>(rule + L.RULE_TICKET));
  }
  w.putText(',"howToGetAccess":"');
  putFilled(denialAdvice(reason), rule);
  send(FORBIDDEN);
}

/** Refuses the request because there was no answer: a failure of the authorizer, not a decision. */
export function fail(): void {
  count(failed);
  drawId();
  beginBody("internal-error");
  w.putText(denialMessage(<u32>-1));
  w.putText('","subject":null,"target":null,"policy":null,"rule":null,"owner":null,"ticket":null,"howToGetAccess":"');
  w.putText(denialAdvice(<u32>-1));
  send(UNAVAILABLE);
}

function beginBody(reason: string): void {
  if (headersLength == 0) makeHeaders();
  w.begin();
  w.putText('{"decision":"');
  w.putBytes(id, ID_LENGTH);
  w.putText('","effect":"deny","reason":"');
  w.putText(reason);
  w.putText('","message":"');
}

function send(status: u32): void {
  w.putText('"}\n');
  memory.copy(headersId, id, ID_LENGTH);
  if (sendResponse(status, 0, 0, w.buffer, w.written(), headers, headersLength, NO_GRPC_STATUS) != 0) unreachable();
}

/** Tells access logs of the decision: filter state `wasm.sallyport.decision` and `wasm.sallyport.revision`. */
export function tell(revision: usize, revisionLength: usize): void {
  w.begin();
  w.putText('{"id":"');
  w.putBytes(id, ID_LENGTH);
  w.putText('","effect":"');
  w.putText(a(L.A_EFFECT) == L.EFFECT_ALLOW ? "allow" : "deny");
  w.putText('","shadow":"');
  w.putText(a(L.A_SHADOW) == L.EFFECT_ALLOW ? "allow" : "deny");
  w.putText('","reason":"');
  w.putText(reasonName(a(L.A_REASON)));
  w.putText('","rules":[');
  putRules(L.A_RULES, L.A_RULE_COUNT);
  w.putText('],"shadowRules":[');
  putRules(L.A_SHADOW_RULES, L.A_SHADOW_RULE_COUNT);
  w.putText('],"ruleCount":');
  w.putNumber(a(L.A_RULE_COUNT));
  w.putText(',"shadowRuleCount":');
  w.putNumber(a(L.A_SHADOW_RULE_COUNT));
  w.putText("}");
  setProperty(bytesOf(DECISION), lengthOf(DECISION), w.buffer, w.written());
  setProperty(bytesOf(REVISION), lengthOf(REVISION), revision, revisionLength);
}

/** At most so many rules are named; the counts tell of the others. */
const MAX_NAMED: u32 = 32;

function putRules(list: u32, count: u32): void {
  const first = <usize>a(list);
  for (let i: u32 = 0; i < min<u32>(a(count), MAX_NAMED); i++) {
    if (i > 0) w.putByte(44);
    w.putByte(34);
    putRule(at(field(L.H_RULES)) + <usize>load<u32>(first + (<usize>i << 2)) * L.RULE_SIZE);
    w.putByte(34);
  }
}

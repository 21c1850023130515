/**
 * Tells Envoy's access logs what came of a request: filter state `wasm.sallyport.decision`, one object of JSON. First comes what differs
 * from request to request, then, from `revision` on, what all requests with the same decision share (src/server/gateway-report.ts).
 */
import * as L from "../engine/layout";
import { at, field } from "../engine/state";
import { bytesOf, constant, lengthOf } from "./bytes-of";
import { a, firstRule, putHost, putOwner, putRule, putSubject, putTicket } from "./decided";
import { ID_LENGTH, id } from "./decision-id";
import { reasonName } from "./denials";
import { setProperty } from "./host-calls";
import * as lease from "./lease";
import * as q from "./question";
import { putRecordedHeaders } from "./recorded";
import * as sequence from "./sequence";
import * as w from "./writer";

const DECISION: usize = constant("sallyport.decision");
/** More rules of a decision are not named. */
const MOST_NAMED: u32 = 256;

/** A decision made here, under the last drawn id. */
export function reportDecision(number: u64, nanoseconds: u64): void {
  beginRequest(number, nanoseconds);
  putSubjectAndTarget();
  w.putText(',"effect":"');
  w.putText(effectName(a(L.A_EFFECT)));
  w.putText('","shadow":"');
  w.putText(effectName(a(L.A_SHADOW)));
  w.putText('","reason":"');
  w.putText(reasonName(a(L.A_REASON)));
  w.putText('","rules":[');
  putRules(L.A_RULES, L.A_RULE_COUNT);
  w.putText('],"shadowRules":[');
  putRules(L.A_SHADOW_RULES, L.A_SHADOW_RULE_COUNT);
  const rule = firstRule(L.A_RULES, L.A_RULE_COUNT);
  if (rule == 0) w.putText('],"owner":null,"ticket":null');
  else {
    w.putText('],"owner":');
    putOwner(rule);
    w.putText(',"ticket":');
    putTicket(rule);
  }
  send();
}

/** The server was asked, and has the record. */
export function reportAsked(number: u64): void {
  w.begin();
  w.putText('{"asked":true');
  putOrigin(number);
  send();
}

/** A refusal because nobody answered, under the last drawn id. */
export function reportFailure(number: u64): void {
  beginRequest(number, 0);
  putReceivedSubject();
  putReceivedTarget();
  w.putText(',"effect":"deny","shadow":"deny","reason":"internal-error","rules":[],"shadowRules":[],"owner":null,"ticket":null');
  send();
}

function putOrigin(number: u64): void {
  w.putText(',"worker":"');
  w.putBytes(sequence.worker, sequence.NAME_LENGTH);
  w.putText('","number":');
  w.putNumber(number);
}

function beginRequest(number: u64, nanoseconds: u64): void {
  w.begin();
  w.putText('{"id":"');
  w.putBytes(id, ID_LENGTH);
  w.putByte(34);
  putOrigin(number);
  w.putText(',"ns":');
  w.putNumber(nanoseconds);
  putField(',"method":"', q.method, q.methodLength);
  putField(',"path":"', q.path, withoutQuery());
  if (q.requestIdLength != 0) putField(',"requestId":"', q.requestId, q.requestIdLength);
  if (q.traceparentLength != 0) putField(',"traceparent":"', q.traceparent, q.traceparentLength);
  putRecordedHeaders();
  w.putText(',"revision":');
  if (!lease.hasPolicies()) w.putText("null");
  else {
    w.putByte(34);
    w.putBytes(lease.revision, lease.REVISION_LENGTH);
    w.putByte(34);
  }
}

/** Queries go nowhere but to where the request goes. */
function withoutQuery(): usize {
  let length: usize = 0;
  while (length < q.pathLength && load<u8>(q.path + length) != 63) length++;
  return length;
}

function putField(begin: string, address: usize, length: usize): void {
  w.putText(begin);
  w.putEscaped(address, length);
  w.putByte(34);
}

function putSubjectAndTarget(): void {
  if (a(L.A_DOMAIN_LENGTH) == 0) putReceivedSubject();
  else {
    w.putText(',"subject":"');
    putSubject();
    w.putByte(34);
    putWorkload(a(L.A_NAMESPACE_LENGTH));
  }
  if (a(L.A_HOST_LENGTH) == 0) putReceivedTarget();
  else {
    w.putText(',"host":"');
    putHost();
    w.putText('","port":');
    w.putNumber(a(L.A_PORT));
  }
}

/** Of `/ns/NAMESPACE/sa/ACCOUNT`, which is what an identity is that has a namespace. */
function putWorkload(namespaceLength: u32): void {
  if (namespaceLength == 0) {
    w.putText(',"namespace":null,"serviceAccount":null');
    return;
  }
  const path = <usize>a(L.A_ID_PATH);
  const account: usize = <usize>8 + namespaceLength;
  putField(',"namespace":"', path + 4, namespaceLength);
  putField(',"serviceAccount":"', path + account, <usize>a(L.A_ID_PATH_LENGTH) - account);
}

function putReceivedSubject(): void {
  putField(',"subject":"', q.principal, q.principalLength);
  w.putText(',"namespace":null,"serviceAccount":null');
}

function putReceivedTarget(): void {
  putField(',"host":"', q.authority, q.authorityLength);
  putField(',"port":"', q.port, q.portLength);
}

function effectName(effect: u32): string {
  return effect == L.EFFECT_ALLOW ? "allow" : "deny";
}

function putRules(list: u32, count: u32): void {
  const first = <usize>a(list);
  for (let i: u32 = 0; i < min<u32>(a(count), MOST_NAMED); i++) {
    if (i > 0) w.putByte(44);
    w.putByte(34);
    putRule(at(field(L.H_RULES)) + <usize>load<u32>(first + (<usize>i << 2)) * L.RULE_SIZE);
    w.putByte(34);
  }
}

function send(): void {
  w.putByte(125);
  setProperty(bytesOf(DECISION), lengthOf(DECISION), w.buffer, w.written());
}

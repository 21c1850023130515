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
import { putRedactedHost, putRedactedPath } from "./redact";
import * as sequence from "./sequence";
import * as w from "./writer";

const DECISION: usize = constant("sallyport.decision");
/** What stands between values: copied, since it is written for each request. */
const EFFECT: usize = constant(',"effect":"');
const SHADOW: usize = constant('","shadow":"');
const REASON: usize = constant('","reason":"');
const RULES: usize = constant('","rules":[');
const SHADOW_RULES: usize = constant('],"shadowRules":[');
const NO_NOTE: usize = constant('],"owner":null,"ticket":null');
const OWNER: usize = constant('],"owner":');
const TICKET: usize = constant(',"ticket":');
const ASKED: usize = constant('{"asked":true');
const FAILED: usize = constant(',"effect":"deny","shadow":"deny","reason":"internal-error","rules":[],"shadowRules":[],"owner":null,"ticket":null');
const WORKER: usize = constant(',"worker":"');
const NUMBER: usize = constant('","number":');
const ID: usize = constant('{"id":"');
const NANOSECONDS: usize = constant(',"ns":');
const REVISION: usize = constant(',"revision":');
const SUBJECT: usize = constant(',"subject":"');
const HOST: usize = constant(',"host":"');
const PORT: usize = constant('","port":');
const NO_WORKLOAD: usize = constant(',"namespace":null,"serviceAccount":null');
const NULL: usize = constant('null');
const METHOD: usize = constant(',"method":"');
const PATH: usize = constant(',"path":"');
const REQUEST_ID: usize = constant(',"requestId":"');
const TRACEPARENT: usize = constant(',"traceparent":"');
const NAMESPACE: usize = constant(',"namespace":"');
const SERVICE_ACCOUNT: usize = constant(',"serviceAccount":"');
const RAW_PORT: usize = constant(',"port":"');
const ALLOW: usize = constant('allow');
const DENY: usize = constant('deny');
/** More rules of a decision are not named. */
const MOST_NAMED: u32 = 256;

/** A decision made here, under the last drawn id. */
export function reportDecision(number: u64, nanoseconds: u64): void {
  beginRequest(number, nanoseconds);
  putSubjectAndTarget();
  w.put(EFFECT);
  w.put(effectName(a(L.A_EFFECT)));
  w.put(SHADOW);
  w.put(effectName(a(L.A_SHADOW)));
  w.put(REASON);
  w.putText(reasonName(a(L.A_REASON)));
  w.put(RULES);
  putRules(L.A_RULES, L.A_RULE_COUNT);
  w.put(SHADOW_RULES);
  putRules(L.A_SHADOW_RULES, L.A_SHADOW_RULE_COUNT);
  const rule = firstRule(L.A_RULES, L.A_RULE_COUNT);
  if (rule == 0) w.put(NO_NOTE);
  else {
    w.put(OWNER);
    putOwner(rule);
    w.put(TICKET);
    putTicket(rule);
  }
  send();
}

/** The server was asked, and has the record. */
export function reportAsked(number: u64): void {
  w.begin();
  w.put(ASKED);
  putOrigin(number);
  send();
}

/** A refusal because nobody answered, under the last drawn id. */
export function reportFailure(number: u64): void {
  beginRequest(number, 0);
  putReceivedSubject();
  putReceivedTarget();
  w.put(FAILED);
  send();
}

function putOrigin(number: u64): void {
  w.put(WORKER);
  w.putBytes(sequence.worker, sequence.NAME_LENGTH);
  w.put(NUMBER);
  w.putNumber(number);
}

function beginRequest(number: u64, nanoseconds: u64): void {
  w.begin();
  w.put(ID);
  w.putBytes(id, ID_LENGTH);
  w.putByte(34);
  putOrigin(number);
  w.put(NANOSECONDS);
  w.putNumber(nanoseconds);
  putField(METHOD, q.method, q.methodLength);
  w.put(PATH);
  putRedactedPath(q.path, q.pathLength);
  w.putByte(34);
  if (q.requestIdLength != 0) putField(REQUEST_ID, q.requestId, q.requestIdLength);
  if (q.traceparentLength != 0) putField(TRACEPARENT, q.traceparent, q.traceparentLength);
  putRecordedHeaders();
  w.put(REVISION);
  if (!lease.hasPolicies()) w.put(NULL);
  else {
    w.putByte(34);
    w.putBytes(lease.revision, lease.REVISION_LENGTH);
    w.putByte(34);
  }
}

function putField(begin: usize, address: usize, length: usize): void {
  w.put(begin);
  w.putEscaped(address, length);
  w.putByte(34);
}

function putSubjectAndTarget(): void {
  if (a(L.A_DOMAIN_LENGTH) == 0) putReceivedSubject();
  else {
    w.put(SUBJECT);
    putSubject();
    w.putByte(34);
    putWorkload(a(L.A_NAMESPACE_LENGTH));
  }
  if (a(L.A_HOST_LENGTH) == 0) putReceivedTarget();
  else {
    w.put(HOST);
    putHost();
    w.put(PORT);
    w.putNumber(a(L.A_PORT));
  }
}

/** Of `/ns/NAMESPACE/sa/ACCOUNT`, which is what an identity is that has a namespace. */
function putWorkload(namespaceLength: u32): void {
  if (namespaceLength == 0) {
    w.put(NO_WORKLOAD);
    return;
  }
  const path = <usize>a(L.A_ID_PATH);
  const account: usize = <usize>8 + namespaceLength;
  putField(NAMESPACE, path + 4, namespaceLength);
  putField(SERVICE_ACCOUNT, path + account, <usize>a(L.A_ID_PATH_LENGTH) - account);
}

function putReceivedSubject(): void {
  putField(SUBJECT, q.principal, q.principalLength);
  w.put(NO_WORKLOAD);
}

function putReceivedTarget(): void {
  w.put(HOST);
  putRedactedHost(q.authority, q.authorityLength);
  w.putByte(34);
  putField(RAW_PORT, q.port, q.portLength);
}

function effectName(effect: u32): usize {
  return effect == L.EFFECT_ALLOW ? ALLOW : DENY;
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

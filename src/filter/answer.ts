/** Answers of the filter's own: the 403 that the server seat would give (src/server/check-response.ts), and failures. */
import * as L from "../engine/layout";
import { bytesOf, constant, lengthOf } from "./bytes-of";
import { drawId, ID_LENGTH, id } from "./decision-id";
import { count, failed } from "./figures";
import { denialAdvice, denialMessage, reasonName } from "./denials";
import { sendResponse, wallMs } from "./host-calls";
import { addConstants, addNamed, clearPairs, writePairs } from "./pairs";
import { a, firstRule, policyOf, putHost, putOwner, putPolicy, putRef, putRule, putSubject, putTicket } from "./decided";
import { reportFailure } from "./report";
import * as w from "./writer";

const FORBIDDEN: u32 = 403;
const UNAVAILABLE: u32 = 503;
const NO_GRPC_STATUS: i32 = -1;

/** What Envoy calls these answers (response code details). */
const DENIED: usize = constant("sallyport_denied");
const ERROR: usize = constant("sallyport_error");
const CONTENT_TYPE: usize = constant("content-type");
const JSON_TYPE: usize = constant("application/json");
const DECISION_ID: usize = constant("x-sallyport-decision-id");

/** Headers of an answer: content type and decision id, put together once; the id is written over for each. */
const headers: usize = memory.data(160, 8);
let headersLength: usize = 0;
let headersId: usize = 0;

function makeHeaders(): void {
  w.begin();
  clearPairs();
  addConstants(CONTENT_TYPE, JSON_TYPE);
  addNamed(DECISION_ID, id, ID_LENGTH);
  writePairs();
  headersLength = w.written();
  memory.copy(headers, w.buffer, headersLength);
  headersId = headers + headersLength - ID_LENGTH - 1;
}

function putTarget(): void {
  putHost();
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
    putOwner(rule);
    w.putText(',"ticket":');
    putTicket(rule);
  }
  w.putText(',"howToGetAccess":"');
  putFilled(denialAdvice(reason), rule);
  send(FORBIDDEN, DENIED);
}

/** Refuses the request that was read because there was no answer: a failure of the authorizer, not a decision. */
export function fail(number: u64): void {
  count(failed);
  drawId(wallMs());
  reportFailure(number);
  beginBody("internal-error");
  w.putText(denialMessage(<u32>-1));
  w.putText('","subject":null,"target":null,"policy":null,"rule":null,"owner":null,"ticket":null,"howToGetAccess":"');
  w.putText(denialAdvice(<u32>-1));
  send(UNAVAILABLE, ERROR);
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

function send(status: u32, details: usize): void {
  w.putText('"}\n');
  memory.copy(headersId, id, ID_LENGTH);
  const failed = sendResponse(
    status,
    bytesOf(details),
    lengthOf(details),
    w.buffer,
    w.written(),
    headers,
    headersLength,
    NO_GRPC_STATUS,
  );
  if (failed != 0) unreachable();
}

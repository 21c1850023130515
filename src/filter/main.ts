/**
 * The gateway seat: what Envoy calls. The same engine as everywhere decides; this is what is round it. Callbacks that nothing is done in are left out: each
 * costs a request a microsecond.
 */
import { decideQuestion } from "../engine/decide";
import * as L from "../engine/layout";
import { answer } from "../engine/state";
import { fail, refuse } from "./answer";
import * as asking from "./ask";
import { GIVEN, GIVEN_LENGTH, given, givenLength, release } from "./bytes-of";
import { drawId } from "./decision-id";
import * as figures from "./figures";
import { CONTINUE, getBuffer, monotonicNs, PAUSE, PLUGIN_CONFIGURATION, random, setTickPeriod, wallMs } from "./host-calls";
import * as lease from "./lease";
import { countListener, forgetRequest, readRequest, writeQuestion } from "./question";
import { reportAsked, reportDecision } from "./report";
import { nameRun, nextNumber } from "./sequence";
import { configure, pollMs } from "./settings";

const chance: usize = memory.data(4, 4);

export function proxy_abi_version_0_2_1(): void {}

export function proxy_on_memory_allocate(bytes: usize): usize {
  return heap.alloc(bytes);
}

export function proxy_on_vm_start(_context: u32, _bytes: u32): u32 {
  return 1;
}

export function proxy_on_configure(_context: u32, bytes: u32): u32 {
  if (getBuffer(PLUGIN_CONFIGURATION, 0, bytes, GIVEN, GIVEN_LENGTH) != 0) return 0;
  const right = configure(given(), givenLength());
  release();
  if (!right) return 0;
  nameRun();
  countListener();
  figures.defineFigures();
  if (random(chance, 4) != 0) unreachable();
  setTickPeriod(pollMs + (load<u32>(chance) % (pollMs / 4 + 1)));
  lease.poll();
  return 1;
}

export function proxy_on_tick(_context: u32): void {
  figures.tellCounts();
  lease.poll();
}

export function proxy_on_http_call_response(_context: u32, token: u32, _headers: u32, body: u32, _trailers: u32): void {
  lease.answered(token, body);
}

/**
 * Decides a request before anything of it is forwarded. Without a lease, or where the answer waits for an expression, the server is
 * asked, and the request waits; a request that cannot be asked about is refused. Headers are never changed.
 */
export function proxy_on_request_headers(context: u32, _count: u32, _end: u32): u32 {
  const begunNs = monotonicNs();
  readRequest();
  const result = lease.isFresh(begunNs) ? decide(context, begunNs) : wait(context);
  forgetRequest();
  return result;
}

function decide(context: u32, begunNs: u64): u32 {
  writeQuestion();
  const nowMs = wallMs();
  decideQuestion(<f64>nowMs);
  // Expressions are evaluated by the server alone.
  if (load<u32>(answer + L.A_WHEN_COUNT) != 0) return wait(context);
  drawId(nowMs);
  reportDecision(nextNumber(), monotonicNs() - begunNs);
  if (load<u32>(answer + L.A_EFFECT) == L.EFFECT_ALLOW) {
    figures.count(figures.allowed);
    return CONTINUE;
  }
  figures.count(figures.denied);
  refuse();
  return PAUSE;
}

function wait(context: u32): u32 {
  const number = nextNumber();
  if (!asking.ask(context, number)) fail(number);
  else {
    reportAsked(number);
    figures.count(figures.asked);
  }
  return PAUSE;
}

export function proxy_on_grpc_receive(_context: u32, token: u32, bytes: u32): void {
  asking.answered(token, bytes);
}

export function proxy_on_grpc_close(_context: u32, token: u32, _status: u32): void {
  asking.lost(token);
}


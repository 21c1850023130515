/** What the filter does, in Envoy's own figures (`wasmcustom.sallyport_…`), summed over workers. */
import { bytesOf, constant, lengthOf } from "./bytes-of";
import { defineMetric, incrementMetric, recordMetric } from "./host-calls";

const COUNTER: u32 = 0;
const GAUGE: u32 = 1;

const ALLOWED: usize = constant("sallyport_allowed");
const DENIED: usize = constant("sallyport_denied");
const ASKED: usize = constant("sallyport_asked");
const FAILED: usize = constant("sallyport_failed");
const POLLS_REFUSED: usize = constant("sallyport_polls_refused");
const LEASE_LEFT: usize = constant("sallyport_lease_left_ms");
const REVISION: usize = constant("sallyport_revision");

/** What is counted, by place: requests decided here, asked about, refused because nobody answered; answers to polls that were not taken. */
export const allowed: u32 = 0;
export const denied: u32 = 1;
export const asked: u32 = 2;
export const failed: u32 = 3;
export const pollsRefused: u32 = 4;
const COUNTERS: u32 = 5;
/** Milliseconds for which the worker that polled last may still decide, and its revision's first 32 bits. */
export let leaseLeft: u32 = 0;
export let revision: u32 = 0;

const counters: usize = memory.data(20, 4);
/** What Envoy was not told yet: a call of the host costs a request more than counting does. */
const untold: usize = memory.data(20, 4);
const made: usize = memory.data(4, 4);

function define(kind: u32, name: usize): u32 {
  if (defineMetric(kind, bytesOf(name), lengthOf(name), made) != 0) unreachable();
  return load<u32>(made);
}

function defineCounter(figure: u32, name: usize): void {
  store<u32>(counters + (<usize>figure << 2), define(COUNTER, name));
}

/** Must be called before anything is told. */
export function defineFigures(): void {
  defineCounter(allowed, ALLOWED);
  defineCounter(denied, DENIED);
  defineCounter(asked, ASKED);
  defineCounter(failed, FAILED);
  defineCounter(pollsRefused, POLLS_REFUSED);
  leaseLeft = define(GAUGE, LEASE_LEFT);
  revision = define(GAUGE, REVISION);
}

export function count(figure: u32): void {
  const at = untold + (<usize>figure << 2);
  store<u32>(at, load<u32>(at) + 1);
}

/** Tells Envoy what was counted since the last time. */
export function tellCounts(): void {
  for (let figure: u32 = 0; figure < COUNTERS; figure++) {
    const at = untold + (<usize>figure << 2);
    const more = load<u32>(at);
    if (more == 0) continue;
    incrementMetric(load<u32>(counters + (<usize>figure << 2)), more);
    store<u32>(at, 0);
  }
}

export function set(figure: u32, value: u64): void {
  recordMetric(figure, value);
}

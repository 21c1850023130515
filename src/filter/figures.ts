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

/** Requests decided here, asked about, and refused because nobody answered. */
export let allowed: u32 = 0;
export let denied: u32 = 0;
export let asked: u32 = 0;
export let failed: u32 = 0;
/** Answers to polls that were not taken. */
export let pollsRefused: u32 = 0;
/** Milliseconds for which the worker that polled last may still decide, and its revision's first 32 bits. */
export let leaseLeft: u32 = 0;
export let revision: u32 = 0;

const made: usize = memory.data(4, 4);

function define(kind: u32, name: usize): u32 {
  if (defineMetric(kind, bytesOf(name), lengthOf(name), made) != 0) unreachable();
  return load<u32>(made);
}

/** Must be called before anything is counted. */
export function defineFigures(): void {
  allowed = define(COUNTER, ALLOWED);
  denied = define(COUNTER, DENIED);
  asked = define(COUNTER, ASKED);
  failed = define(COUNTER, FAILED);
  pollsRefused = define(COUNTER, POLLS_REFUSED);
  leaseLeft = define(GAUGE, LEASE_LEFT);
  revision = define(GAUGE, REVISION);
}

export function count(figure: u32): void {
  incrementMetric(figure, 1);
}

export function set(figure: u32, value: u64): void {
  recordMetric(figure, value);
}

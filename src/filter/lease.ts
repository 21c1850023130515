/**
 * The right to decide here: policies that are known by their content, and a lease that the server renews while they are in
 * force. A lease counts from the moment its poll was sent; one that does not answer this very poll, that is of an older generation, or
 * of another revision than the one that is held here, renews nothing.
 */
import { takeBundle } from "../engine/state";
import { bytesOf, constant, GIVEN, GIVEN_LENGTH, given, givenLength, lengthOf, release } from "./bytes-of";
import { getBuffer, getHeader, HTTP_CALL_BODY, HTTP_CALL_HEADERS, httpCall, log, monotonicMs, random, WARN } from "./host-calls";
import * as figures from "./figures";
import { bundleCluster } from "./settings";
import { digest, sha256 } from "./sha256";
import * as w from "./writer";

/** `sha256:` and 64 hexadecimal digits. */
export const REVISION_LENGTH: usize = 71;
/** The revision that is held; zeros before the first. */
export const revision: usize = memory.data(72, 8);

const POLL_TIMEOUT_MS: u32 = 2_000;
/** No lease is longer, whatever a server says. */
const LONGEST_MS: u64 = 60_000;
/** Larger ones are dropped by Envoy or would not fit twice. */
const MAX_BUNDLE: usize = 16 * 1024 * 1024;

const STATUS: usize = constant(":status");
const ETAG: usize = constant("etag");
const LEASE: usize = constant("x-sallyport-lease-ms");
const NONCE: usize = constant("x-sallyport-nonce");
const GENERATION: usize = constant("x-sallyport-generation");
const REFUSED: usize = constant("sallyport: the server's answer to a poll for policies was not taken");

let held: usize = 0;
let until: u64 = 0;
let generation: u64 = 0;
let sentAt: u64 = 0;
let waiting: bool = false;
const token: usize = memory.data(4, 4);
/** Sixteen random bytes in hexadecimal. */
const nonce: usize = memory.data(32, 8);
const candidate: usize = memory.data(72, 8);

/** May be decided here now? */
export function isFresh(): bool {
  return held != 0 && monotonicMs() < until;
}

/** Asks the server for its policies, or whether they are still those. One poll is under way at a time. */
export function poll(): void {
  const now = monotonicMs();
  tellLease();
  if (waiting && now < sentAt + POLL_TIMEOUT_MS + 500) return;
  drawNonce();
  w.begin();
  const pairs: u32 = held == 0 ? 4 : 5;
  w.putU32(pairs);
  w.putU32(7);
  w.putU32(3);
  w.putU32(5);
  w.putU32(10);
  w.putU32(10);
  w.putU32(9);
  w.putU32(<u32>lengthOf(NONCE));
  w.putU32(32);
  if (held != 0) {
    w.putU32(13);
    w.putU32(<u32>REVISION_LENGTH + 2);
  }
  putPair(":method", "GET");
  putPair(":path", "/v1/bundle");
  putPair(":authority", "localhost");
  w.putBytes(bytesOf(NONCE), lengthOf(NONCE));
  w.putByte(0);
  w.putBytes(nonce, 32);
  w.putByte(0);
  if (held != 0) {
    w.putText("if-none-match");
    w.putByte(0);
    w.putByte(34);
    w.putBytes(revision, REVISION_LENGTH);
    w.putByte(34);
    w.putByte(0);
  }
  sentAt = monotonicMs();
  const failed = httpCall(
    bytesOf(bundleCluster),
    lengthOf(bundleCluster),
    w.buffer,
    w.written(),
    0,
    0,
    0,
    0,
    POLL_TIMEOUT_MS,
    token,
  );
  waiting = failed == 0;
}

/** Takes the answer to a poll. */
export function answered(answeredToken: u32, bodyLength: u32): void {
  if (!waiting || answeredToken != load<u32>(token)) return;
  waiting = false;
  if (take(bodyLength)) return;
  figures.count(figures.pollsRefused);
  log(WARN, bytesOf(REFUSED), lengthOf(REFUSED));
}

function take(bodyLength: usize): bool {
  if (!headerIs(NONCE, nonce, 32)) return false;
  const leaseMs = headerNumber(LEASE);
  const told = headerNumber(GENERATION);
  if (leaseMs == 0 || told < generation) return false;
  const status = headerNumber(STATUS);
  if (status == 200) {
    if (!swap(bodyLength)) return false;
  } else if (status != 304 || held == 0 || !etagIs(revision)) return false;
  generation = told;
  until = sentAt + min<u64>(leaseMs, LONGEST_MS);
  tellLease();
  return true;
}

function tellLease(): void {
  const now = monotonicMs();
  if (held != 0) figures.set(figures.leaseLeft, now < until ? until - now : 0);
}

/** Takes new policies when they are what their name says and can be read; else keeps what there is. */
function swap(length: usize): bool {
  if (length == 0 || length > MAX_BUNDLE) return false;
  if (getBuffer(HTTP_CALL_BODY, 0, length, GIVEN, GIVEN_LENGTH) != 0) return false;
  const bundle = given();
  const size = givenLength();
  store<u32>(GIVEN, 0);
  sha256(bundle, size);
  w.begin();
  w.putText("sha256:");
  for (let i: usize = 0; i < 32; i++) {
    const byte = <u32>load<u8>(digest + i);
    w.putHexDigit(byte >>> 4);
    w.putHexDigit(byte);
  }
  memory.copy(candidate, w.buffer, REVISION_LENGTH);
  if (!etagIs(candidate) || !takeBundle(bundle, <u32>size)) {
    heap.free(bundle);
    return false;
  }
  if (held != 0) heap.free(held);
  held = bundle;
  memory.copy(revision, candidate, REVISION_LENGTH);
  figures.set(figures.revision, <u64>bswap<u32>(load<u32>(digest)));
  return true;
}

function drawNonce(): void {
  if (random(candidate, 16) != 0) unreachable();
  w.begin();
  for (let i: usize = 0; i < 16; i++) {
    w.putHexDigit((<u32>load<u8>(candidate + i)) >>> 4);
    w.putHexDigit(load<u8>(candidate + i));
  }
  memory.copy(nonce, w.buffer, 32);
}

function putPair(name: string, value: string): void {
  w.putText(name);
  w.putByte(0);
  w.putText(value);
  w.putByte(0);
}

function readHeader(name: usize): bool {
  return getHeader(HTTP_CALL_HEADERS, bytesOf(name), lengthOf(name), GIVEN, GIVEN_LENGTH) == 0;
}

function headerIs(name: usize, value: usize, length: usize): bool {
  if (!readHeader(name)) return false;
  const same = givenLength() == length && memory.compare(given(), value, length) == 0;
  release();
  return same;
}

/** Is the entity tag this revision in quotes? */
function etagIs(value: usize): bool {
  if (!readHeader(ETAG)) return false;
  const same = givenLength() == REVISION_LENGTH + 2 && memory.compare(given() + 1, value, REVISION_LENGTH) == 0;
  release();
  return same;
}

/** A decimal number; 0 for anything else. */
function headerNumber(name: usize): u64 {
  if (!readHeader(name)) return 0;
  let number: u64 = 0;
  const length = givenLength();
  let right = length > 0 && length < 19;
  for (let i: usize = 0; i < length && right; i++) {
    const digit = <u32>load<u8>(given() + i) - 48;
    if (digit > 9) right = false;
    else number = number * 10 + digit;
  }
  release();
  return right ? number : 0;
}

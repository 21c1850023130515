/**
 * The right to decide here: policies that are known by their content, and a lease that the server renews while they are in
 * force. A lease counts from the moment its poll was sent; one that does not answer this very poll, that brings policies of an older
 * generation, that is of another revision than the one that is held here, or that is not signed where keys are configured, renews nothing.
 */
import { takeBundle } from "../engine/state";
import { bytesOf, constant, GIVEN, GIVEN_LENGTH, given, givenLength, lengthOf, release } from "./bytes-of";
import { getBuffer, getHeader, HTTP_CALL_BODY, HTTP_CALL_HEADERS, httpCall, log, monotonicMs, WARN } from "./host-calls";
import * as figures from "./figures";
import { addConstants, addNamed, clearPairs, writePairs } from "./pairs";
import { recordHeaders } from "./recorded";
import { drawName, last, NAME_LENGTH, worker } from "./sequence";
import { bundleCluster } from "./settings";
import { digest, sha256 } from "./sha256";
import * as signature from "./signature";
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

const METHOD: usize = constant(":method");
const GET: usize = constant("GET");
const PATH: usize = constant(":path");
const BUNDLE: usize = constant("/v1/bundle");
const AUTHORITY: usize = constant(":authority");
const LOCALHOST: usize = constant("localhost");
const WORKER: usize = constant("x-sallyport-worker");
const SEQUENCE: usize = constant("x-sallyport-sequence");
const RECORD: usize = constant("x-sallyport-record-headers");
const IF_NONE_MATCH: usize = constant("if-none-match");
const STATUS: usize = constant(":status");
const ETAG: usize = constant("etag");
const LEASE: usize = constant("x-sallyport-lease-ms");
const NONCE: usize = constant("x-sallyport-nonce");
const GENERATION: usize = constant("x-sallyport-generation");
const SIGNATURE: usize = constant("x-sallyport-signature");
/** The first line of what is signed. */
const STATEMENT: usize = constant("sallyport.lease/v1\n");
const REFUSED: usize = constant("sallyport: the server's answer to a poll for policies was not taken");

let held: usize = 0;
let until: u64 = 0;
let generation: u64 = 0;
let sentAt: u64 = 0;
let waiting: bool = false;
const token: usize = memory.data(4, 4);
/** Drawn for each poll. */
const nonce: usize = memory.data(32, 8);
const number: usize = memory.data(24, 8);
const quoted: usize = memory.data(80, 8);
const candidate: usize = memory.data(72, 8);

/** May be decided here at this moment of the clock that no one sets? */
export function isFresh(nowNs: u64): bool {
  return held != 0 && nowNs / 1_000_000 < until;
}

export function hasPolicies(): bool {
  return held != 0;
}

/** Asks the server for its policies, or whether they are still those. One poll is under way at a time. */
export function poll(): void {
  const now = monotonicMs();
  tellLease();
  if (waiting && now < sentAt + POLL_TIMEOUT_MS + 500) return;
  drawName(nonce);
  writePoll();
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

/** Which policies are held, and how far this worker has come. */
function writePoll(): void {
  clearPairs();
  addConstants(METHOD, GET);
  addConstants(PATH, BUNDLE);
  addConstants(AUTHORITY, LOCALHOST);
  addNamed(NONCE, nonce, NAME_LENGTH);
  addNamed(WORKER, worker, NAME_LENGTH);
  w.begin();
  w.putNumber(last);
  const length = w.written();
  memory.copy(number, w.buffer, length);
  addNamed(SEQUENCE, number, length);
  if (held != 0) {
    w.begin();
    w.putByte(34);
    w.putBytes(revision, REVISION_LENGTH);
    w.putByte(34);
    memory.copy(quoted, w.buffer, REVISION_LENGTH + 2);
    addNamed(IF_NONE_MATCH, quoted, REVISION_LENGTH + 2);
  }
  w.begin();
  writePairs();
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
  if (leaseMs == 0) return false;
  const status = headerNumber(STATUS);
  if (status == 200) {
    if (told < generation || !swap(bodyLength, told, leaseMs)) return false;
  } else if (status != 304 || held == 0 || !etagIs(revision) || !isSigned(revision, told, leaseMs)) return false;
  // Another server may have loaded the same policies earlier.
  generation = max<u64>(generation, told);
  takeRecordedHeaders();
  until = sentAt + min<u64>(leaseMs, LONGEST_MS);
  tellLease();
  return true;
}

function takeRecordedHeaders(): void {
  if (!readHeader(RECORD)) {
    recordHeaders(0, 0);
    return;
  }
  recordHeaders(given(), givenLength());
  store<u32>(GIVEN, 0);
}

function tellLease(): void {
  const now = monotonicMs();
  if (held != 0) figures.set(figures.leaseLeft, now < until ? until - now : 0);
}

/**
 * Has one who may say so signed that this poll is answered by this revision, for so long? Else whoever can stand between gateway and server,
 * or show the server's name, could bring policies and renew leases.
 */
function isSigned(name: usize, told: u64, leaseMs: u64): bool {
  if (!signature.isWanted()) return true;
  w.begin();
  w.put(STATEMENT);
  w.putBytes(nonce, NAME_LENGTH);
  w.putByte(10);
  w.putBytes(name, REVISION_LENGTH);
  w.putByte(10);
  w.putNumber(told);
  w.putByte(10);
  w.putNumber(leaseMs);
  w.putByte(10);
  if (readHeader(RECORD)) {
    w.putBytes(given(), givenLength());
    release();
  }
  w.putByte(10);
  if (!readHeader(SIGNATURE)) return false;
  const digits = given();
  const length = givenLength();
  store<u32>(GIVEN, 0);
  const right = signature.isSigned(digits, length);
  heap.free(digits);
  return right;
}

/** Takes new policies when they are what their name says, signed, and can be read; else keeps what there is. */
function swap(length: usize, told: u64, leaseMs: u64): bool {
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
  if (!etagIs(candidate) || !isSigned(candidate, told, leaseMs) || !takeBundle(bundle, <u32>size)) {
    heap.free(bundle);
    return false;
  }
  if (held != 0) heap.free(held);
  held = bundle;
  memory.copy(revision, candidate, REVISION_LENGTH);
  figures.set(figures.revision, <u64>bswap<u32>(load<u32>(digest)));
  return true;
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

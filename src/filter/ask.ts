/** Asks the server's own `Check` while there is no right to decide here, and where an expression must be evaluated. What does not come back as an allow is a refusal. */
import { bytesOf, constant, GIVEN, GIVEN_LENGTH, given, givenLength, lengthOf, release } from "./bytes-of";
import { writeCheck } from "./check-request";
import { allowed, readAnswer, sendAnswer } from "./check-response";
import { continueStream, getBuffer, GRPC_MESSAGE, grpcCall, REQUEST_STREAM, setContext } from "./host-calls";
import { fail } from "./answer";
import { fieldSize, openField, putField } from "./message";
import { forgetRequest, readRequest } from "./question";
import { checkCluster } from "./settings";
import * as w from "./writer";

const SERVICE: usize = constant("envoy.service.auth.v3.Authorization");
const METHOD: usize = constant("Check");
const AUTHORITY: usize = constant("sallyport");
/** Envoy's own timeout of a Check is of this order. */
const TIMEOUT_MS: u32 = 500;
/** Checks in flight from one worker; beyond it requests are refused at once. */
const MAX_IN_FLIGHT: u32 = 1_024;
/** [token u32, context u32, number u64] of each. */
const FLIGHT: usize = 16;
const flights: usize = memory.data(16 * 1024, 8);
let count: u32 = 0;
const token: usize = memory.data(4, 4);
const NO_PAIRS: usize = memory.data(4, 4);

function flightAt(i: u32): usize {
  return flights + <usize>i * FLIGHT;
}

/** Sends the request that was read, under its number in the sequence; false when it cannot be asked. */
export function ask(context: u32, number: u64): bool {
  if (count == MAX_IN_FLIGHT) return false;
  const service = envoyGrpc();
  if (!writeCheck()) return false;
  const failed = grpcCall(
    service,
    serviceLength,
    bytesOf(SERVICE),
    lengthOf(SERVICE),
    bytesOf(METHOD),
    lengthOf(METHOD),
    NO_PAIRS,
    4,
    w.buffer,
    w.written(),
    TIMEOUT_MS,
    token,
  );
  if (failed != 0) return false;
  const flight = flightAt(count);
  store<u32>(flight, load<u32>(token));
  store<u32>(flight + 4, context);
  store<u64>(flight + 8, number);
  count++;
  return true;
}

let serviceMessage: usize = 0;
let serviceLength: usize = 0;
let serviceOf: usize = 0;

/** A GrpcService that names the cluster: {envoy_grpc: {cluster_name, authority}}. Names of Istio's clusters are no authorities. */
function envoyGrpc(): usize {
  if (serviceOf != checkCluster) {
    const length = lengthOf(checkCluster);
    w.begin();
    openField(0x0a, fieldSize(length) + fieldSize(lengthOf(AUTHORITY)));
    putField(0x0a, bytesOf(checkCluster), length);
    putField(0x12, bytesOf(AUTHORITY), lengthOf(AUTHORITY));
    if (serviceMessage != 0) heap.free(serviceMessage);
    serviceLength = w.written();
    serviceMessage = heap.alloc(serviceLength);
    memory.copy(serviceMessage, w.buffer, serviceLength);
    serviceOf = checkCluster;
  }
  return serviceMessage;
}

/** The number of what has landed last. */
let number: u64 = 0;

/** Takes the flight of this token; false when nobody waits for it any longer: its stream has ended. */
function land(answeredToken: u32): bool {
  for (let i: u32 = 0; i < count; i++) {
    const flight = flightAt(i);
    if (load<u32>(flight) != answeredToken) continue;
    const waiting = load<u32>(flight + 4);
    number = load<u64>(flight + 8);
    count--;
    memory.copy(flight, flightAt(count), FLIGHT);
    return setContext(waiting) == 0;
  }
  return false;
}

/** There will be no answer. */
export function lost(answeredToken: u32): void {
  if (land(answeredToken)) failWaiting();
}

/** The request is read once more: what was read of it when it was asked about is gone. */
function failWaiting(): void {
  readRequest();
  fail(number);
  forgetRequest();
}

/** The answer: an allow lets the request go on, anything else refuses it as the server says. */
export function answered(answeredToken: u32, length: u32): void {
  if (!land(answeredToken)) return;
  if (getBuffer(GRPC_MESSAGE, 0, length, GIVEN, GIVEN_LENGTH) != 0) unreachable();
  const message = given();
  const size = givenLength();
  store<u32>(GIVEN, 0);
  readAnswer(message, message + size);
  if (allowed) continueStream(REQUEST_STREAM);
  else if (!sendAnswer()) failWaiting();
  heap.free(message);
}

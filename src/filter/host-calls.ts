/**
 * What Envoy offers to a filter, as far as it is used: proxy-wasm ABI 0.2.1 and two calls of WASI. Each returns 0 when it
 * worked. Memory for results is allocated by the host through `proxy_on_memory_allocate` and belongs to the caller.
 * @see https://github.com/proxy-wasm/spec/blob/main/abi-versions/v0.2.1/README.md
 */

/** Request headers, and those of the answer to an HTTP call. */
export const REQUEST_HEADERS: u32 = 0;
export const HTTP_CALL_HEADERS: u32 = 6;
/** Bodies and texts that `getBuffer` can read. */
export const HTTP_CALL_BODY: u32 = 4;
export const GRPC_MESSAGE: u32 = 5;
export const PLUGIN_CONFIGURATION: u32 = 7;
/** What `onRequestHeaders` returns: go on, or wait for `continueStream`. */
export const CONTINUE: u32 = 0;
export const PAUSE: u32 = 1;
/** The request, for `continueStream`. */
export const REQUEST_STREAM: u32 = 0;
/** Levels of `log`. */
export const INFO: u32 = 2;
export const WARN: u32 = 3;

/** Writes to Envoy's log. */
@external("env", "proxy_log")
export declare function log(level: u32, text: usize, length: usize): u32;

/** The value at a path of names that zero bytes divide. Not 0 when there is none. */
@external("env", "proxy_get_property")
export declare function getProperty(path: usize, length: usize, value: usize, valueLength: usize): u32;

/** Sets filter state `wasm.NAME`, for access logs. */
@external("env", "proxy_set_property")
export declare function setProperty(path: usize, length: usize, value: usize, valueLength: usize): u32;

/** All pairs: [count u32, count × (name length u32, value length u32), count × (name, 0, value, 0)]. Repeated ones stand apart. */
@external("env", "proxy_get_header_map_pairs")
export declare function getPairs(map: u32, value: usize, length: usize): u32;

/** The values of one name, joined. Not 0 when there is none. */
@external("env", "proxy_get_header_map_value")
export declare function getHeader(map: u32, name: usize, nameLength: usize, value: usize, length: usize): u32;

/** Bytes of a body or text. */
@external("env", "proxy_get_buffer_bytes")
export declare function getBuffer(buffer: u32, start: usize, most: usize, value: usize, length: usize): u32;

/** Answers the request here. `pairs` are headers in the form of `getPairs`. */
@external("env", "proxy_send_local_response")
export declare function sendResponse(
  status: u32,
  details: usize,
  detailsLength: usize,
  body: usize,
  bodyLength: usize,
  pairs: usize,
  pairsLength: usize,
  grpcStatus: i32,
): u32;

/** Lets a paused stream go on. */
@external("env", "proxy_continue_stream")
export declare function continueStream(stream: u32): u32;

/** Whose stream the following calls mean. */
@external("env", "proxy_set_effective_context")
export declare function setContext(context: u32): u32;

/** Calls `proxy_on_tick` so often. */
@external("env", "proxy_set_tick_period_milliseconds")
export declare function setTickPeriod(milliseconds: u32): u32;

/** Asks a cluster over HTTP; the answer comes to `proxy_on_http_call_response` with the token that is stored. */
@external("env", "proxy_http_call")
export declare function httpCall(
  cluster: usize,
  clusterLength: usize,
  headers: usize,
  headersLength: usize,
  body: usize,
  bodyLength: usize,
  trailers: usize,
  trailersLength: usize,
  timeoutMs: u32,
  token: usize,
): u32;

/** Asks over gRPC; the answer comes to the root context's `proxy_on_grpc_receive` or `proxy_on_grpc_close`. */
@external("env", "proxy_grpc_call")
export declare function grpcCall(
  service: usize,
  serviceLength: usize,
  name: usize,
  nameLength: usize,
  method: usize,
  methodLength: usize,
  metadata: usize,
  metadataLength: usize,
  message: usize,
  messageLength: usize,
  timeoutMs: u32,
  token: usize,
): u32;

/** A function of Envoy's that the ABI does not know, by its name; what it takes and gives is its own matter. */
@external("env", "proxy_call_foreign_function")
export declare function callForeign(
  name: usize,
  nameLength: usize,
  argument: usize,
  argumentLength: usize,
  result: usize,
  resultLength: usize,
): u32;

/** The wall clock in nanoseconds since the epoch. */
@external("env", "proxy_get_current_time_nanoseconds")
export declare function wallClock(nanoseconds: usize): u32;

/** Makes a figure of Envoy's own, `wasmcustom.NAME`, or finds it: kind 0 counts, kind 1 is set. */
@external("env", "proxy_define_metric")
export declare function defineMetric(kind: u32, name: usize, length: usize, metric: usize): u32;

/** Counts on. */
@external("env", "proxy_increment_metric")
export declare function incrementMetric(metric: u32, by: i64): u32;

/** Sets. */
@external("env", "proxy_record_metric")
export declare function recordMetric(metric: u32, value: u64): u32;

@external("wasi_snapshot_preview1", "clock_time_get")
declare function clockTime(clock: u32, precision: u64, nanoseconds: usize): u32;

/** Bytes that nobody can foresee. */
@external("wasi_snapshot_preview1", "random_get")
export declare function random(buffer: usize, length: usize): u32;

const MONOTONIC: u32 = 1;
const NANOSECONDS: usize = memory.data(8, 8);

/** Nanoseconds on a clock that no one sets. */
export function monotonicNs(): u64 {
  if (clockTime(MONOTONIC, 0, NANOSECONDS) != 0) unreachable();
  return load<u64>(NANOSECONDS);
}

export function monotonicMs(): u64 {
  return monotonicNs() / 1_000_000;
}

/** Milliseconds since the epoch. */
export function wallMs(): u64 {
  if (wallClock(NANOSECONDS) != 0) unreachable();
  return load<u64>(NANOSECONDS) / 1_000_000;
}
